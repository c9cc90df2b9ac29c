import fc from 'fast-check';
import type { Encoded, Program } from './program.ts';

export type Action =
  | 'LOOK_AT_ROLE'
  | 'RAISE_FENCE'
  | 'STAND_DOWN'
  | 'REMOVE'
  | 'WAIT_UNTIL_BACK'
  | 'WAIT_FOR_ENGINE'
  | 'LOWER_FENCE'
  | 'PROVE';

export const FENCE_SECONDS = 15;
const STARTS_AT = 5_000;
/** An action of the order, at the longest. */
const LONGEST_SECONDS: Partial<Record<Action, number>> = { LOOK_AT_ROLE: 0.6, PROVE: 12, WAIT_UNTIL_BACK: 12 };

/** What the host answers, each list used up in turn; afterwards all goes well. */
export interface Troubles {
  isFenced: boolean;
  doubts: boolean[];
  /** Which attempts fail. */
  failures: Partial<Record<Action, boolean[]>>;
  engine: { hasSettled: boolean; inDoubt: boolean }[];
  leftovers: boolean[];
  /** How long actions and pauses take. */
  seconds: number[];
  /** Before which action everybody dies, counted through all of it; the action itself may be done by then, or not. */
  deaths: { before: number; isDone: boolean }[];
  /** How often the revert is asked for again after its end, and whether something was there again. */
  again: boolean[];
}

/** One action that was carried out, and how the world was before. */
export interface Deed {
  action: Action;
  visit: number;
  /** From when to when. */
  at: number;
  until: number;
  hasFailed: boolean;
  /** Nobody heard any more how it went. */
  isUnheard: boolean;
  /** What the one who did it knew. */
  state: Encoded;
  world: World;
}

/** The host itself, whatever is on record. */
interface World {
  isFaultThere: boolean;
  /** For sure. */
  isFenceUp: boolean;
  /** Something of it may be there. */
  isFenceTouched: boolean;
  /** Someone has tried to raise it and was told that it cannot be. */
  cannotRaise: boolean;
  /** When the role was last found in doubt and when not, in this order. */
  isInDoubt: boolean | undefined;
  /** The engine has found its way since. */
  hasSettled: boolean;
  standDownFailed: boolean;
}

/** One who was asked to revert: from his first decision to his end or death. */
export interface Visit {
  begins: Encoded;
  ends: Encoded;
  hasDied: boolean;
  isThereAgain: boolean;
  /** At its end. */
  world: World;
  deeds: Deed[];
}

export interface Life {
  troubles: Troubles;
  visits: Visit[];
  deeds: Deed[];
  last: Encoded;
  world: World;
}

const FINAL = ['REVERTED', 'REFUSED'];
export const stateOf = (reversal: Encoded): string => (reversal.state as { value: string }).value;
export const outcomeOf = (reversal: Encoded): string => (reversal.outcome as { value: string }).value;

export function reversal(state: string, isFenced: boolean): Encoded {
  return {
    type: 'Reversal',
    state: { type: 'State', value: state },
    is_fenced: isFenced,
    reason: null,
    revert_reason: null,
    in_doubt: null,
    outcome: { type: 'FenceOutcome', value: 'NONE' },
    raised_at: null,
    is_lowered: false,
    lifted_at: null,
    has_leftovers: false,
    failure: null,
    is_raised: false,
  };
}

const often = fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const attempts = fc.array(often, { maxLength: 4 });

/** @param some what is not anything. */
export function troubles(
  some: { [Name in keyof Troubles]?: fc.Arbitrary<Troubles[Name]> } = {},
): fc.Arbitrary<Troubles> {
  return fc.record<Troubles>({
    isFenced: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    doubts: fc.array(fc.boolean(), { maxLength: 3 }),
    failures: fc.record({
      RAISE_FENCE: attempts,
      STAND_DOWN: attempts,
      REMOVE: fc.array(fc.boolean(), { maxLength: 6 }),
      WAIT_UNTIL_BACK: attempts,
      LOWER_FENCE: attempts,
    }),
    engine: fc.array(fc.record({ hasSettled: fc.boolean(), inDoubt: fc.boolean() }), { maxLength: 3 }),
    leftovers: fc.array(fc.boolean(), { maxLength: 2 }),
    seconds: fc.array(
      fc.integer({ min: 1, max: 6_000 }).map((each) => each / 1000),
      { minLength: 1, maxLength: 9 },
    ),
    deaths: fc.array(fc.record({ before: fc.integer({ min: 0, max: 14 }), isDone: fc.boolean() }), { maxLength: 3 }),
    again: fc.array(fc.boolean(), { maxLength: 2 }),
    ...some,
  });
}

/** Somebody died: what is on record is all that is left. */
class Death extends Error {}

const MOST_VISITS = 14;

/** From the first asking on, until it is reverted and nobody asks again. */
export async function lifeOf(program: Program, story: Troubles, state = 'APPLIED'): Promise<Life> {
  const life = new Living(program, story, reversal(state, story.isFenced));
  const again = [...story.again];
  while (life.visits.length < MOST_VISITS) {
    const isOver = FINAL.includes(stateOf(life.kept));
    if (isOver && again.length === 0) break;
    await life.visit(isOver && again.shift() === true && stateOf(life.kept) === 'REVERTED');
  }
  const { visits, deeds, kept, world } = life;
  return { troubles: story, visits, deeds, last: kept, world };
}

class Living {
  readonly visits: Visit[] = [];
  readonly deeds: Deed[] = [];
  kept: Encoded;
  private at = STARTS_AT;
  world: World = {
    isFaultThere: true,
    isFenceUp: false,
    isFenceTouched: false,
    cannotRaise: false,
    isInDoubt: undefined,
    hasSettled: false,
    standDownFailed: false,
  };
  private readonly program: Program;
  private readonly story: Troubles;
  private readonly used = new Map<unknown, number>();
  private steps = 0;

  constructor(program: Program, story: Troubles, start: Encoded) {
    this.program = program;
    this.story = story;
    this.kept = start;
  }

  /** As host/revert.py does it: under the lock of the resource, then under that of those who wait. */
  async visit(isThereAgain: boolean): Promise<void> {
    const begins = this.kept;
    const first = this.deeds.length;
    if (isThereAgain)
      this.world = { ...this.world, isFaultThere: true, isInDoubt: undefined, hasSettled: false, cannotRaise: false };
    let hasDied = false;
    try {
      await this.perform({
        type: 'Asked',
        reason: this.visits.length === 0 ? 'TTL' : 'ROLLBACK',
        is_there_again: isThereAgain,
      });
      if (!FINAL.includes(stateOf(this.kept))) await this.perform({ type: 'Settling' });
    } catch (error) {
      if (!(error instanceof Death)) throw error;
      hasDied = true;
    }
    this.visits.push({
      begins,
      ends: this.kept,
      hasDied,
      isThereAgain,
      world: this.world,
      deeds: this.deeds.slice(first),
    });
    this.at += 3 * this.next('pause', this.story.seconds, 0.3) + 0.2;
  }

  private async perform(first: Encoded): Promise<void> {
    let [state, event] = [this.kept, first];
    for (;;) {
      const step = { event, at: this.at, keeps: this.death() !== undefined };
      const [answer] = await this.program.decideOne({ machine: 'reversal', state, steps: [step] });
      if (!answer?.state) throw new Error('a reversal without a state');
      if (answer.effects.length > 1) throw new Error(`several actions at once: ${JSON.stringify(answer.effects)}`);
      this.kept = answer.kept ?? this.kept;
      const [action] = answer.effects.map(({ value }) => value as Action | 'SETTLE');
      if (!action || action === 'SETTLE') return;
      state = answer.state;
      event = this.act(action, state);
    }
  }

  /** Whether everybody dies before the next action is over. */
  private death(): Troubles['deaths'][number] | undefined {
    return this.story.deaths.find(({ before }) => before === this.steps);
  }

  private act(action: Action, state: Encoded): Encoded {
    const death = this.death();
    this.steps += 1;
    if (this.steps > 200) throw new Error('it does not end');
    if (death && !death.isDone) throw new Death();
    const [world, at] = [this.world, this.at];
    const { event, hasFailed } = this.carryOut(action, state);
    const isUnheard = death !== undefined;
    this.deeds.push({
      action,
      visit: this.visits.length,
      at,
      until: this.at,
      hasFailed,
      isUnheard,
      state,
      world,
    });
    if (death) throw new Death();
    return event;
  }

  private carryOut(action: Action, state: Encoded): { event: Encoded; hasFailed: boolean } {
    const seconds = this.next('duration', this.story.seconds, 0.1);
    if (action === 'WAIT_FOR_ENGINE') return this.waitForEngine(state, seconds);
    this.at += Math.min(seconds, LONGEST_SECONDS[action] ?? 5);
    if (action === 'LOOK_AT_ROLE') {
      const in_doubt = this.next('doubts', this.story.doubts, false);
      this.change({ isInDoubt: in_doubt });
      return { event: { type: 'RoleSeen', in_doubt }, hasFailed: false };
    }
    if (action === 'PROVE') {
      const has_leftovers = this.next('leftovers', this.story.leftovers, false);
      return { event: { type: 'Proven', has_leftovers }, hasFailed: false };
    }
    const hasFailed = this.next(action, this.story.failures[action] ?? [], false);
    this.change(changeBy(action, hasFailed));
    const problem = hasFailed ? `${action} failed` : null;
    const event = { type: 'Done', action: { type: 'Action', value: action }, problem, remark: null };
    return { event, hasFailed };
  }

  /** Until the engine has settled, or is found in doubt when there is no fence, and at most up to the deadline. */
  private waitForEngine(state: Encoded, seconds: number): { event: Encoded; hasFailed: boolean } {
    const { hasSettled, inDoubt } = this.next('engine', this.story.engine, { hasSettled: true, inDoubt: false });
    const deadline = Number(state.raised_at ?? state.lifted_at ?? this.at) + FENCE_SECONDS;
    const isSeen = (hasSettled || (inDoubt && state.raised_at === null)) && this.at + seconds < deadline;
    this.at = isSeen ? this.at + seconds : Math.max(this.at, deadline);
    const seen = isSeen ? { has_settled: hasSettled, in_doubt: inDoubt } : { has_settled: false, in_doubt: false };
    if (seen.in_doubt) this.change({ isInDoubt: true });
    if (seen.has_settled) this.change({ hasSettled: true });
    return { event: { type: 'EngineSeen', ...seen }, hasFailed: false };
  }

  private change(some: Partial<World>): void {
    this.world = { ...this.world, ...some };
  }

  private next<T>(name: string, list: readonly T[], otherwise: T): T {
    const place = this.used.get(name) ?? 0;
    this.used.set(name, place + 1);
    return list[place] ?? otherwise;
  }
}

function changeBy(action: Action, hasFailed: boolean): Partial<World> {
  if (action === 'RAISE_FENCE') return { isFenceTouched: true, isFenceUp: !hasFailed, cannotRaise: hasFailed };
  if (action === 'LOWER_FENCE' && !hasFailed) return { isFenceUp: false, isFenceTouched: false };
  if (action === 'REMOVE' && !hasFailed) return { isFaultThere: false };
  return action === 'STAND_DOWN' && hasFailed ? { standDownFailed: true } : {};
}
