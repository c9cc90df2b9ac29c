import fc from 'fast-check';
import { type Encoded, type Run, type Step, tuple } from './program.ts';

/** What one process of a pair meets, from its birth on. */
export interface Plan {
  isRunner: boolean;
  graceSeconds: number;
  ttlSeconds: number;
  startsAt: number;
  counting: Counting;
  /** The runner's word tells the supervisor of an applied fault from this slot on. */
  isAppliedFrom: number;
  /** Events come only where the program can meet them; else at any time. */
  isOrderly: boolean;
  slots: Slot[];
}

type Counting = 'LEVEL' | 'TOTAL';
type Sight = 'seen' | 'unseen' | 'unreadable' | 'none';

/** All that happens from one tick to the next. */
interface Slot {
  seconds: number;
  reads: Read[];
  /** Does the peer say that it lives? For the supervisor: how old the advance is that it tells of. */
  isHeard: boolean;
  advanceAgeSeconds: number;
  sight: Sight;
  /** What was begun, the checks or the verb, is done. */
  isDone: boolean;
  hasTombstone: boolean;
  hasRecord: boolean;
  /** Anything else. */
  also: Also;
}

type Also = 'nothing' | 'reverts' | 'closes' | 'is terminated' | 'cannot apply' | 'loses a worker';

/** One look at the lease table; the beat as a difference to the guard's last one. */
interface Read {
  own: 'HOLD' | 'RELEASED' | 'OTHER' | 'unreadable' | 'missing';
  everyone: 'HOLD' | 'RELEASED' | 'OTHER' | 'unreadable' | 'missing';
  beats: number | 'none';
  isGranted: boolean;
  ageSeconds: number;
  fails: boolean;
}

export const GRANT = 'i-1 digest';
const OTHER_GRANTS = ['i-2 digest', 'i-1 other'];
export const REVERT_REASONS = [
  'TTL',
  'LEASE_LOST',
  'LEASE_RELEASED',
  'KILL_SWITCH',
  'WATCHDOG_DIED',
  'ROLLBACK',
  'WORKER_DIED',
];

const milliseconds = (min: number, max: number) => fc.integer({ min, max }).map((value) => value / 1000);

const GOOD_READ: Read = {
  own: 'HOLD',
  everyone: 'HOLD',
  beats: 1,
  isGranted: true,
  ageSeconds: 0.02,
  fails: false,
};
const state = fc.constantFrom<Read['own']>('HOLD', 'HOLD', 'HOLD', 'OTHER', 'unreadable', 'missing');
/** Never renews, never ends: an equal or lower beat, a row that is not there or not whole, no grant, an error. */
export const deafRead: fc.Arbitrary<Read> = fc
  .record({
    own: state,
    everyone: state,
    beats: fc.oneof(fc.integer({ min: -3, max: 2 }), fc.constant('none' as const)),
    isGranted: fc.boolean(),
    ageSeconds: milliseconds(1, 450),
    fails: fc.boolean(),
  })
  .map((read) => (isWhole(read) ? { ...read, beats: Math.min(0, Number(read.beats)) } : read));

function isWhole({ own, everyone, beats, isGranted, fails }: Read): boolean {
  return own === 'HOLD' && everyone === 'HOLD' && beats !== 'none' && isGranted && !fails;
}

const goodRead = fc
  .record({ beats: fc.integer({ min: 1, max: 4 }), ageSeconds: milliseconds(1, 450) })
  .map((some): Read => ({ ...GOOD_READ, ...some }));
const endingRead = fc
  .record({
    own: fc.constantFrom<Read['own']>('RELEASED', 'HOLD', 'missing', 'unreadable'),
    everyone: fc.constantFrom<Read['own']>('RELEASED', 'HOLD', 'missing', 'OTHER'),
    isGranted: fc.boolean(),
  })
  .map((some): Read => ({ ...GOOD_READ, ...some, ...(some.everyone !== 'RELEASED' && { own: 'RELEASED' }) }));

const calm = fc.record<Slot>({
  seconds: milliseconds(150, 320),
  reads: fc.array(goodRead, { minLength: 0, maxLength: 1 }),
  isHeard: fc.constant(true),
  advanceAgeSeconds: milliseconds(100, 1500),
  sight: fc.constant('seen'),
  isDone: fc.nat({ max: 3 }).map((chance) => chance > 0),
  hasTombstone: fc.constant(false),
  hasRecord: fc.constant(true),
  also: fc.constant('nothing'),
});

/** A watch in which nothing goes wrong: the runner gets its lease, applies the fault and holds it. */
export const CALM_WATCH: Plan = {
  isRunner: true,
  graceSeconds: 3,
  ttlSeconds: 60,
  startsAt: 5_000,
  counting: 'LEVEL',
  isAppliedFrom: 0,
  isOrderly: true,
  slots: Array.from({ length: 40 }, () => ({
    seconds: 0.2,
    reads: [GOOD_READ],
    isHeard: true,
    advanceAgeSeconds: 0.5,
    sight: 'seen',
    isDone: true,
    hasTombstone: false,
    hasRecord: true,
    also: 'nothing',
  })),
};

/** A calm slot with something that is not. */
const changed = (change: { [Name in keyof Slot]?: fc.Arbitrary<Slot[Name]> }): fc.Arbitrary<Slot> =>
  fc.tuple(calm, fc.record(change)).map(([slot, some]) => ({ ...slot, ...some }));

const standing = milliseconds(520, 3_000);
const suspended = milliseconds(3_000, 700_000);
const read = fc.oneof({ weight: 2, arbitrary: goodRead }, { weight: 3, arbitrary: deafRead });
const silence = fc.constant(false);
const troubled = fc.oneof(
  calm,
  changed({ reads: fc.array(deafRead, { maxLength: 2 }) }),
  changed({ reads: fc.array(deafRead, { maxLength: 2 }), advanceAgeSeconds: milliseconds(0, 40_000) }),
  changed({ isHeard: silence }),
  changed({ isHeard: silence, seconds: standing }),
  changed({ seconds: standing }),
  changed({ seconds: suspended, isHeard: fc.boolean(), reads: fc.array(read, { maxLength: 2 }) }),
  changed({ sight: fc.constantFrom<Sight>('unseen', 'unreadable', 'none') }),
  changed({ sight: fc.constantFrom<Sight>('unseen', 'unreadable'), seconds: milliseconds(400, 900) }),
);
/** What ends the watching is rare, or nothing else would be seen. */
const ending = fc.oneof(
  changed({ reads: fc.array(endingRead, { minLength: 1, maxLength: 2 }) }),
  changed({ hasTombstone: fc.constant(true) }),
  changed({ hasRecord: fc.constant(false) }),
  changed({ also: fc.constant<Also>('loses a worker') }),
  changed({
    also: fc.constantFrom<Also>('reverts', 'closes', 'is terminated', 'cannot apply', 'loses a worker'),
  }),
);

/** The same trouble for a while: a frozen lease, a peer that says nothing. */
const spell = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: calm }, { weight: 6, arbitrary: troubled }, { weight: 3, arbitrary: ending }),
    fc.integer({ min: 1, max: 14 }),
  )
  .map(([slot, times]) => Array.from({ length: times }, () => slot));

const slots = fc
  .tuple(fc.array(calm, { maxLength: 14 }), fc.array(spell, { maxLength: 6 }))
  .map(([before, spells]) => [...before, ...spells.flat()]);

const counting = fc.constantFrom<Counting>('LEVEL', 'TOTAL');

/** Mostly a lease that is soon held, then trouble. */
export function plans(fixed: Partial<Plan> = {}, then = slots): fc.Arbitrary<Plan> {
  return fc
    .record({
      isRunner: fc.boolean(),
      graceSeconds: fc.integer({ min: 2, max: 30 }),
      ttlSeconds: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 600 })),
      startsAt: milliseconds(20_000, 900_000_000),
      counting,
      isAppliedFrom: fc.integer({ min: 0, max: 16 }),
      isOrderly: fc.boolean(),
      slots: then,
    })
    .map((plan) => ({ ...plan, ...fixed }));
}

/** Long enough calm for the fault to be there, then these. */
export const afterwards = (last: fc.Arbitrary<Slot>, count: { min: number; max: number }): fc.Arbitrary<Slot[]> =>
  fc
    .tuple(
      fc.array(changed({ reads: fc.tuple(goodRead) }), { minLength: 9, maxLength: 11 }),
      fc.array(last, { minLength: count.min, maxLength: count.max }),
    )
    .map((parts) => parts.flat());

export const frozen = changed({ reads: fc.array(deafRead, { maxLength: 2 }) });
/** Its end may come while it stands still. */
export const ageing = changed({
  reads: fc.tuple(goodRead),
  seconds: fc.oneof(milliseconds(150, 320), standing, suspended),
});
export const silent = changed({ isHeard: silence });
/** A peer that is seldom heard, in a process that may stand still itself. */
export const quiet = changed({
  isHeard: fc.nat({ max: 4 }).map((chance) => chance === 0),
  seconds: fc.oneof(milliseconds(150, 320), milliseconds(150, 320), milliseconds(520, 1_500)),
  reads: fc.tuple(goodRead),
});
export const reverting = changed({ also: fc.constant<Also>('reverts'), seconds: milliseconds(150, 320) });
/** A lease that comes and goes before the fault is applied. */
export const arming = changed({
  seconds: fc.oneof(milliseconds(150, 320), standing),
  reads: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: goodRead },
      { weight: 3, arbitrary: deafRead },
      { weight: 1, arbitrary: endingRead },
    ),
    { minLength: 1, maxLength: 2 },
  ),
  isDone: fc.boolean(),
});
export const sighted = changed({
  sight: fc.constantFrom<Sight>('seen', 'unseen', 'unseen', 'unreadable', 'none'),
  seconds: milliseconds(100, 700),
});

export function runOf(plan: Plan): Run {
  const { isRunner, graceSeconds, ttlSeconds, startsAt } = plan;
  return {
    machine: 'peer',
    begin: [isRunner, graceSeconds, ttlSeconds, GRANT, startsAt],
    steps: stepsOf(plan),
    brief: true,
  };
}

function stepsOf(plan: Plan): Step[] {
  const steps: Step[] = [];
  let from = plan.startsAt;
  const tally = { beat: 7, count: 0, endsAt: undefined as number | undefined };
  for (const [position, slot] of plan.slots.entries()) {
    if (position >= plan.isAppliedFrom) tally.endsAt ??= from + plan.ttlSeconds;
    const happening = happenings(plan, slot, tally);
    for (const [place, make] of happening.entries()) {
      const at = from + (slot.seconds * (place + 1)) / (happening.length + 1);
      const { phases, ...step } = make(at);
      steps.push(plan.isOrderly && phases ? { ...step, phases } : step);
    }
    from += slot.seconds;
    const { hasTombstone, hasRecord } = slot;
    steps.push({ event: { type: 'Tick', has_tombstone: hasTombstone, has_record: hasRecord }, at: from });
  }
  return steps;
}

type Tally = { beat: number; count: number; endsAt: number | undefined };

function happenings(plan: Plan, slot: Slot, tally: Tally): ((at: number) => Step)[] {
  const heard = slot.isHeard ? [(at: number) => wordOf(plan, slot, tally, at)] : [];
  const also = alsoOf(plan, slot);
  if (!plan.isRunner) return [...heard, ...also];
  const reads = slot.reads.map((each) => (at: number) => readOf(each, tally, at));
  const done = (type: string, phase: string) => (at: number) => ({ event: { type }, at, phases: [phase] });
  const sights = slot.sight === 'none' ? [] : [(at: number) => sightOf(plan, slot.sight, tally, at)];
  const work = slot.isDone ? [done('Changed', 'APPLYING'), done('Checked', 'CHECKING')] : [];
  return [...heard, ...reads, ...work, ...sights, ...also];
}

function wordOf(plan: Plan, slot: Slot, tally: Tally, at: number): Step {
  const isKnown = !plan.isRunner && tally.endsAt !== undefined;
  const told = isKnown
    ? { advanced_at: at - slot.advanceAgeSeconds, ends_at: tally.endsAt }
    : { advanced_at: null, ends_at: null };
  return { event: { type: 'Heard', ...told }, at };
}

function readOf(read: Read, tally: Tally, at: number): Step {
  if (read.fails) return { event: { type: 'LeaseUnread', problem: 'timed out' }, at };
  const beat = read.beats === 'none' ? null : tally.beat + read.beats;
  tally.beat = Math.max(tally.beat, beat ?? 0);
  const row = (state: Read['own'], beat: number | null, grants: string[]): Encoded | null =>
    state === 'missing'
      ? null
      : { type: 'Row', state: state === 'unreadable' ? null : state, beat, grants: tuple(grants) };
  const own = row(read.own, beat, read.isGranted ? [...OTHER_GRANTS, GRANT] : OTHER_GRANTS);
  return {
    event: { type: 'LeaseRead', sent_at: at - read.ageSeconds, own, everyone: row(read.everyone, null, []) },
    at,
  };
}

function sightOf({ counting }: Plan, sight: Sight, tally: Tally, at: number): Step {
  tally.count += sight === 'seen' ? 3 : 0;
  const value = { seen: tally.count, unseen: counting === 'TOTAL' ? tally.count : 0, unreadable: null, none: null }[
    sight
  ];
  return {
    event: { type: 'EffectSeen', value, counting: { type: 'Counting', value: counting } },
    at,
    phases: ['CONFIRMING', 'HOLDING'],
  };
}

function alsoOf(plan: Plan, { also, seconds }: Slot): ((at: number) => Step)[] {
  const reason = REVERT_REASONS[Math.round(seconds * 1000) % REVERT_REASONS.length];
  const applying = ['APPLYING', 'CONFIRMING'];
  const runner: Partial<Record<Also, [Encoded, string[]]>> = {
    'cannot apply': [{ type: 'ApplyFailed' }, applying],
    'loses a worker': [{ type: 'WorkersSeen', are_alive: false }, ['HOLDING']],
    nothing: [{ type: 'WorkersSeen', are_alive: true }, ['HOLDING']],
  };
  const both: Partial<Record<Also, Encoded>> = {
    reverts: { type: 'HeardRevert', reason },
    closes: { type: 'PeerClosed' },
    'is terminated': { type: 'Terminated' },
  };
  const event = both[also];
  if (event) return [(at) => ({ event, at })];
  const own = plan.isRunner ? runner[also] : undefined;
  return own ? [(at) => ({ event: own[0], at, phases: own[1] })] : [];
}
