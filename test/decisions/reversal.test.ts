import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holds } from './holds.ts';
import { Program } from './program.ts';
import {
  type Action,
  type Deed,
  FENCE_SECONDS,
  type Life,
  lifeOf,
  outcomeOf,
  reversal,
  stateOf,
  type Troubles,
  troubles,
  type Visit,
} from './reversal-life.ts';

/** look, stand down, fence up, remove; back, engine, fence up, engine, fence down, proof. */
const MOST_ACTIONS = 10;
const HAIR = 1e-6;

let program: Program;
beforeAll(() => {
  program = new Program();
});
afterAll(() => program.stop());

/** Everything may fail and take long, and everybody may die before and after each action. */
const anything = troubles();
const nobodyDies = troubles({ deaths: fc.constant([]) });
const nothingFails = troubles({ failures: fc.constant({}) });
/** One after the other dies when the fence is to be raised, or soon after, in the action of this number or the next. */
const diesRaising = (action: number, some: Partial<Troubles>) =>
  troubles({
    failures: fc.constant({}),
    deaths: fc.array(fc.record({ before: fc.integer({ min: action, max: action + 3 }), isDone: fc.boolean() }), {
      minLength: 1,
      maxLength: 4,
    }),
  }).map((story) => ({ ...story, isFenced: true, ...some }));
const raised = fc.oneof(
  diesRaising(1, { doubts: [true] }),
  // When the fault is gone, and the role in doubt after all.
  diesRaising(5, { doubts: [false], engine: [{ hasSettled: false, inDoubt: true }] }),
  // When the fault was there again.
  diesRaising(8, { doubts: [true, true], engine: [], again: [true] }),
);
/** What is lifted is not back, or its fence does not come down, at first. */
const failsLate = troubles({
  failures: fc.record({
    REMOVE: fc.array(fc.boolean(), { maxLength: 3 }),
    WAIT_UNTIL_BACK: fc.array(fc.boolean(), { maxLength: 3 }),
    LOWER_FENCE: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
  }),
  deaths: fc.constant([]),
  doubts: fc.array(fc.boolean(), { minLength: 2, maxLength: 4 }),
});

async function always(arbitrary: fc.Arbitrary<Troubles>, sentence: (life: Life) => void): Promise<void> {
  await holds(
    fc.asyncProperty(arbitrary, async (story) => {
      sentence(await lifeOf(program, story));
    }),
  );
}

const deedsOf = (life: Life, action: Action): Deed[] => life.deeds.filter((deed) => deed.action === action);
const has = (visit: Visit, action: Action): boolean => visit.deeds.some((deed) => deed.action === action);
const lastOf = (visit: Visit, action: Action): Deed | undefined =>
  visit.deeds.findLast((deed) => deed.action === action);
/** Those who lived to their end. */
const ended = (life: Life): Visit[] => life.visits.filter(({ hasDied }) => !hasDied);

/** Is the fault taken away with clients kept from the node, or with nobody able to keep them away any more? */
function isCovered({ world, at, state }: Deed): boolean {
  const isOver = state.raised_at !== null && at >= Number(state.raised_at) + FENCE_SECONDS;
  return world.isFenceUp || world.cannotRaise || isOver;
}

function removesInDoubt(life: Life): Deed[] {
  return deedsOf(life, 'REMOVE').filter(({ world }) => world.isFaultThere && world.isInDoubt);
}

describe.concurrent('the fence', () => {
  it('is up, or was tried to be, before the fault of a node whose role is in doubt is removed', () =>
    always(nobodyDies, (life) => {
      for (const deed of removesInDoubt(life)) expect(isCovered(deed), JSON.stringify(deed)).toBe(true);
    }));

  it('is up before the fault of a node whose role is in doubt is removed, also when whoever was to raise it has died', () =>
    always(fc.oneof(nothingFails, raised), (life) => {
      for (const deed of removesInDoubt(life)) expect(isCovered(deed), JSON.stringify(deed)).toBe(true);
      const waits = deedsOf(life, 'WAIT_FOR_ENGINE').filter(({ state }) => state.raised_at !== null);
      for (const deed of waits) expect(isCovered(deed), JSON.stringify(deed)).toBe(true);
    }));

  it('is never raised where there is none to be, nor while the role is in no doubt and all that is armed stands down', () =>
    always(anything, (life) => {
      for (const { world, state } of deedsOf(life, 'RAISE_FENCE')) {
        expect(state.is_fenced).toBe(true);
        expect(world.isInDoubt || world.standDownFailed).toBe(true);
      }
      for (const action of ['LOOK_AT_ROLE', 'STAND_DOWN', 'WAIT_FOR_ENGINE'] as const)
        if (!life.troubles.isFenced) expect(deedsOf(life, action)).toEqual([]);
    }));

  it('stays until the engine has settled, and no longer than 15 s, where the fault is gone', () =>
    always(anything, (life) => {
      for (const deed of deedsOf(life, 'LOWER_FENCE')) {
        const { world, state, at } = deed;
        if (!world.isFenceUp || world.isFaultThere) continue;
        const until = Number(state.raised_at) + FENCE_SECONDS;
        expect(world.hasSettled || at >= until - HAIR || outcomeOf(state) === 'FAILED').toBe(true);
      }
      for (const { until, at, state, world } of deedsOf(life, 'WAIT_FOR_ENGINE'))
        if (world.isFenceUp) expect(until).toBeLessThan(Math.max(Number(state.raised_at) + FENCE_SECONDS, at) + HAIR);
    }));

  it('stays for 15 s, and no longer, where the fault cannot be removed', async () => {
    const seen = { kept: 0, lowered: 0 };
    const stuck = fc.record({ REMOVE: fc.array(fc.constant(true), { minLength: 1, maxLength: 8 }) });
    const story = troubles({ failures: stuck, deaths: fc.constant([]), isFenced: fc.constant(true) });
    await always(story, (life) => {
      for (const visit of life.visits) {
        const removal = lastOf(visit, 'REMOVE');
        if (!removal?.hasFailed || visit.ends.raised_at === null) continue;
        const isOver =
          removal.until >= Number(visit.ends.raised_at) + FENCE_SECONDS || visit.begins.is_lowered === true;
        expect(has(visit, 'LOWER_FENCE')).toBe(isOver);
        seen[isOver ? 'lowered' : 'kept'] += 1;
        expect(stateOf(visit.ends)).toBe('FAILED');
      }
    });
    expect(Math.min(seen.kept, seen.lowered)).toBeGreaterThan(5);
  });

  it('has a deadline that counts from when it was first to be raised, whoever comes next', () =>
    always(anything, ({ visits }) => {
      for (const { begins, ends, isThereAgain } of visits)
        if (begins.raised_at !== null && !isThereAgain) expect(ends.raised_at).toBe(begins.raised_at);
      for (const { begins, ends, isThereAgain, deeds } of visits) {
        const raising = deeds.find(({ action }) => action === 'RAISE_FENCE');
        if (raising && (begins.raised_at === null || isThereAgain))
          expect(ends.raised_at).toBe(raising.state.raised_at);
      }
    }));

  it('is not raised when its deadline is over, nor again when it is known to be up', () =>
    always(fc.oneof(anything, raised), ({ visits }) => {
      let isUp = false;
      for (const { isThereAgain, deeds } of visits) {
        isUp = isUp && !isThereAgain;
        for (const { at, state, hasFailed, isUnheard } of deeds.filter(({ action }) => action === 'RAISE_FENCE')) {
          expect(isUp).toBe(false);
          expect(at - Number(state.raised_at)).toBeLessThan(FENCE_SECONDS);
          isUp = !hasFailed && !isUnheard;
        }
      }
    }));

  it('is said to have settled only when the engine has said so', () =>
    always(anything, (life) => {
      if (outcomeOf(life.last) === 'SETTLED') expect(life.world.hasSettled).toBe(true);
      if (outcomeOf(life.last) === 'NOT_NEEDED') expect(life.last.raised_at).toBeNull();
    }));
});

describe.concurrent('a fault', () => {
  it('is reverted only when it was removed and its fence taken down, each without a problem', () =>
    always(fc.oneof(anything, failsLate), (life) => {
      for (const [place, visit] of life.visits.entries()) {
        if (stateOf(visit.ends) !== 'REVERTED' || stateOf(visit.begins) === 'REVERTED') continue;
        expect(deedsOf(life, 'REMOVE').findLast((deed) => deed.visit <= place)?.hasFailed).toBe(false);
        expect(lastOf(visit, 'LOWER_FENCE')?.hasFailed).toBe(false);
        expect(has(visit, 'PROVE')).toBe(true);
        if (visit.ends.raised_at !== null) expect(visit.ends.is_lowered).toBe(true);
        expect(visit.world).toMatchObject({ isFaultThere: false, isFenceTouched: false, isFenceUp: false });
      }
    }));

  it('whose revert has failed is removed again, and waited for until it is back, before it is reverted', () =>
    always(failsLate, ({ visits }) => {
      for (const visit of visits) {
        if (stateOf(visit.ends) !== 'REVERTED' || stateOf(visit.begins) !== 'FAILED') continue;
        expect(lastOf(visit, 'REMOVE')?.hasFailed).toBe(false);
        expect(lastOf(visit, 'WAIT_UNTIL_BACK')?.hasFailed).toBe(false);
      }
    }));

  it('is reverted only after it was waited for until it is back, and it was', () =>
    always(anything, ({ visits }) => {
      for (const visit of visits) {
        if (stateOf(visit.ends) !== 'REVERTED' || ['REVERTED', 'FAILED'].includes(stateOf(visit.begins))) continue;
        expect(lastOf(visit, 'WAIT_UNTIL_BACK')?.hasFailed).toBe(false);
      }
    }));

  it('is reverted when all of that went well, and failed, with the reason, when it did not', () =>
    always(anything, (life) => {
      for (const visit of ended(life)) {
        if (stateOf(visit.begins) === 'REVERTED' && !visit.isThereAgain) continue;
        const failed = ['REMOVE', 'WAIT_UNTIL_BACK', 'LOWER_FENCE'].find(
          (name) => lastOf(visit, name as Action)?.hasFailed,
        );
        expect(stateOf(visit.ends)).toBe(failed ? 'FAILED' : 'REVERTED');
        if (failed) expect(visit.ends.reason).toContain('failed');
      }
    }));

  it('ends in REVERTED, REFUSED or FAILED, however often it was asked for, and never in more actions than there are', () =>
    always(anything, (life) => {
      for (const visit of ended(life)) expect(['REVERTED', 'REFUSED', 'FAILED']).toContain(stateOf(visit.ends));
      for (const { deeds } of life.visits) {
        expect(deeds.length).toBeLessThanOrEqual(MOST_ACTIONS);
        for (const { action } of deeds) {
          const times = deeds.filter((other) => other.action === action).length;
          expect(times).toBeLessThanOrEqual(action === 'WAIT_FOR_ENGINE' ? 2 : 1);
        }
      }
    }));

  it('is not removed again once that is on record, unless the revert has failed or it was there again', () =>
    always(anything, (life) => {
      for (const { begins, isThereAgain, deeds } of life.visits) {
        if (begins.lifted_at === null || stateOf(begins) === 'FAILED' || isThereAgain) continue;
        expect(deeds.filter(({ action }) => action === 'REMOVE')).toEqual([]);
      }
    }));

  it('that is only armed is refused and nothing is done; nor is anything to what is refused', () =>
    holds(
      fc.asyncProperty(anything, fc.constantFrom('ARMING', 'REFUSED'), async (story, state) => {
        const life = await lifeOf(program, { ...story, again: [false, ...story.again] }, state);
        expect(life.deeds).toEqual([]);
        expect(stateOf(life.last)).toBe('REFUSED');
      }),
    ));

  it('is reverted twice as well as once: nothing is done, but what was left is looked for again', () =>
    always(anything, (life) => {
      for (const { begins, ends, isThereAgain, deeds, hasDied } of life.visits) {
        if (stateOf(begins) !== 'REVERTED' || isThereAgain || hasDied) continue;
        expect(deeds.map(({ action }) => action)).toEqual(begins.has_leftovers ? ['PROVE'] : []);
        expect(ends).toEqual({ ...begins, has_leftovers: ends.has_leftovers });
      }
    }));

  it('that is there again after it was reverted is reverted as if for the first time', async () => {
    let again = 0;
    await always(anything, (life) => {
      for (const { isThereAgain, hasDied, deeds } of life.visits) {
        if (!isThereAgain || hasDied) continue;
        const actions = deeds.map(({ action }) => action);
        expect(actions[0]).toBe(life.troubles.isFenced ? 'LOOK_AT_ROLE' : 'REMOVE');
        expect(actions).toEqual(expect.arrayContaining(['REMOVE', 'PROVE']));
        again += 1;
      }
    });
    expect(again).toBeGreaterThan(5);
  });

  it('keeps the reason for which it was first reverted', () =>
    always(anything, (life) => {
      expect(life.last.revert_reason).toBe('TTL');
    }));
});

describe.concurrent('whoever comes next', () => {
  it('reverts the fault when nothing fails, whoever died before, in whatever action', () =>
    always(nothingFails, (life) => {
      expect(stateOf(life.last)).toBe('REVERTED');
      expect(life.world).toMatchObject({ isFaultThere: false, isFenceTouched: false, isFenceUp: false });
      for (const visit of ended(life)) expect(stateOf(visit.ends)).toBe('REVERTED');
    }));

  it('reverts it from every record that a death can leave, with and without a fence, in doubt or not', async () => {
    const answers = [false, true];
    const stories = answers.flatMap((isFenced) =>
      answers.flatMap((doubt) =>
        answers.flatMap((inDoubt) =>
          answers.flatMap((isDone) =>
            Array.from(
              { length: MOST_ACTIONS },
              (_, before): Troubles => ({
                isFenced,
                doubts: [doubt, doubt],
                failures: {},
                engine: [{ hasSettled: false, inDoubt }],
                leftovers: [],
                seconds: [0.1],
                deaths: [{ before, isDone }],
                again: [],
              }),
            ),
          ),
        ),
      ),
    );
    const lives = await Promise.all(stories.map((story) => lifeOf(program, story)));
    for (const { last, world } of lives) {
      expect(stateOf(last)).toBe('REVERTED');
      expect(world).toMatchObject({ isFaultThere: false, isFenceTouched: false, isFenceUp: false });
    }
    expect(lives.filter(({ visits }) => visits.length === 2).length).toBeGreaterThan(80);
  });

  it('ends in REVERTED after any number of failures, once there are no more', () =>
    always(anything, (life) => {
      expect(life.visits.length).toBeLessThan(14);
      expect(stateOf(life.last)).toBe('REVERTED');
    }));
});

describe.concurrent('what these sentences were tried on', () => {
  it('was everything that can happen: each action, done, failed and interrupted, each outcome', async () => {
    const seen = new Map<string, number>();
    const see = (name: string) => seen.set(name, 1 + (seen.get(name) ?? 0));
    const lives = await Promise.all(
      fc.sample(anything, { numRuns: 200, seed: 8 }).map((story) => lifeOf(program, story)),
    );
    for (const { deeds, visits } of lives) {
      for (const { action, hasFailed, isUnheard } of deeds) {
        see(action);
        if (hasFailed) see(`${action} fails`);
        if (isUnheard) see(`${action} unheard`);
      }
      for (const { ends } of visits) see(`${stateOf(ends)} ${outcomeOf(ends)}`);
    }
    const actions = [
      'LOOK_AT_ROLE',
      'RAISE_FENCE',
      'STAND_DOWN',
      'REMOVE',
      'WAIT_UNTIL_BACK',
      'WAIT_FOR_ENGINE',
      'LOWER_FENCE',
      'PROVE',
    ];
    const fallible = ['RAISE_FENCE', 'STAND_DOWN', 'REMOVE', 'WAIT_UNTIL_BACK', 'LOWER_FENCE'];
    const ends = ['NONE', 'SETTLED', 'DEADLINE', 'FAILED', 'NOT_NEEDED'].map((outcome) => `REVERTED ${outcome}`);
    const all = [
      ...actions,
      ...actions.map((each) => `${each} unheard`),
      ...fallible.map((each) => `${each} fails`),
      ...ends,
    ];
    for (const name of all) expect(seen.get(name) ?? 0, name).toBeGreaterThan(0);
  });

  it('begins where a fault is applied, and nothing of a revert is known', async () => {
    const [answer] = await program.decideOne({
      machine: 'reversal',
      state: reversal('APPLIED', true),
      steps: [{ event: { type: 'Asked', reason: 'TTL', is_there_again: false }, at: 1, keeps: true }],
    });
    expect(answer?.kept).toEqual({ ...reversal('REVERTING', true), revert_reason: 'TTL' });
  });

  it('raises a fence that was not needed before whoever said so died, when the engine is in doubt now', async () => {
    const [answer] = await program.decideOne({
      machine: 'reversal',
      state: { ...reversal('REVERTING', true), lifted_at: 1, outcome: { type: 'FenceOutcome', value: 'NOT_NEEDED' } },
      steps: [{ event: { type: 'EngineSeen', has_settled: false, in_doubt: true }, at: 2, keeps: true }],
    });
    expect(answer?.effects).toEqual([{ type: 'Action', value: 'RAISE_FENCE' }]);
    expect(answer?.kept).toMatchObject({ raised_at: 2, outcome: { value: 'NONE' } });
  });
});
