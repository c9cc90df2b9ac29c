import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holds } from './holds.ts';
import { Program } from './program.ts';
import {
  effectOf,
  HAIR,
  type History,
  historiesOf,
  historyOf,
  isSeen,
  LATE_SECONDS,
  lostSeconds,
  type Moment,
} from './watch-history.ts';
import {
  afterwards,
  ageing,
  arming,
  frozen,
  type Plan,
  plans,
  quiet,
  REVERT_REASONS,
  reverting,
  sighted,
  silent,
} from './watch-plans.ts';

const SILENCE_SECONDS = 1.2;
const EFFECT_SECONDS = 4;
const LOOKS = 3;
const ARMING_SECONDS = 10;
const FIRST_WORD_SECONDS = 14;
const SAY_SECONDS = 0.25;

let program: Program;
beforeAll(() => {
  program = new Program();
});
afterAll(() => program.stop());

const orderly = plans({ isOrderly: true });
const runners = plans({ isOrderly: true, isRunner: true });
const armed = fc.oneof(
  runners,
  plans({ isOrderly: true, isRunner: true, graceSeconds: 2 }, fc.array(arming, { maxLength: 20 })),
);
const supervisors = plans({ isOrderly: true, isRunner: false });

/** A sentence about each moment of what a process lives through. */
async function always(
  arbitrary: fc.Arbitrary<Plan>,
  sentence: (moment: Moment, history: History) => void,
): Promise<void> {
  const property = fc.asyncProperty(arbitrary, async (plan) => {
    const history = await historyOf(program, plan);
    for (const moment of history.moments) sentence(moment, history);
  });
  await holds(property);
}

const isTick = ({ event }: Moment) => event.type === 'Tick';
const revertOf = (moment: Moment) => effectOf(moment, 'Revert');
/** What a decision is expected to be is only worth saying while decisions are made. */
const isDeciding = ({ before }: Moment) => !before.isLeft;

/** The peer has said nothing for too long, and it was not us who stood still. */
function isSilent({ now, at }: Moment, hair: number): boolean {
  const forgivenUntil = now.lateTickAt === undefined ? 0 : now.lateTickAt + LATE_SECONDS;
  return at - now.heardAt > SILENCE_SECONDS + hair && (now.lateTickAt === at ? 0 : at) > forgivenUntil + hair;
}

function isHeld({ now, at }: Moment, { graceSeconds }: Plan): boolean {
  const lost = now.advancedAt === undefined || at - now.advancedAt > graceSeconds;
  return now.isWhole && now.advances >= 2 && !now.released && !lost;
}

describe.concurrent('the fault', () => {
  it('is applied only while both rows are HOLD, this host is granted, no release was read, and the beat grew twice', () =>
    always(fc.oneof(plans(), armed), (moment, { plan, moments }) => {
      const apply = effectOf(moment, 'Apply');
      if (!apply) return;
      expect(plan.isRunner).toBe(true);
      expect(moment.event.type).toBe('Checked');
      expect(isHeld(moment, plan)).toBe(true);
      expect(apply.ends_at).toBe(moment.at + plan.ttlSeconds);
      expect(moments.filter((each) => effectOf(each, 'Apply')).length).toBe(1);
    }));

  it('is looked at once before, when its lease is held for the first time, and applied when that still holds', () =>
    always(armed, (moment, { plan }) => {
      const { now, before } = moment;
      const isReady = now.isWhole && now.advances >= 2 && !now.released && !now.isChecking;
      if (isTick(moment) && isDeciding(moment) && !revertOf(moment)) expect(!!effectOf(moment, 'Check')).toBe(isReady);
      if (moment.event.type !== 'Checked' || !isDeciding(moment)) return;
      expect(before.isChecking).toBe(true);
      expect(moment.effects.map(({ type }) => type)).toEqual([isHeld(moment, plan) ? 'Apply' : 'Refuse']);
    }));

  it('is refused, and never reverted, by a release that is read before it is applied', () =>
    always(armed, (moment) => {
      const { now } = moment;
      if (!isDeciding(moment) || now.endsAt !== undefined || !now.released) return;
      if (isTick(moment) && !now.isChecking && !revertOf(moment)) expect(effectOf(moment, 'Refuse')).toBeDefined();
      if (moment.event.type === 'Checked') expect(effectOf(moment, 'Refuse')).toBeDefined();
      if (moment.event.type === 'LeaseRead') expect(moment.effects).toEqual([]);
    }));

  it('is refused when no lease is held within 10 s', () =>
    always(runners, (moment, { plan }) => {
      const { now, at } = moment;
      const isOver = at > plan.startsAt + ARMING_SECONDS;
      if (!isTick(moment) || !isDeciding(moment) || now.isChecking || now.released || revertOf(moment)) return;
      if (effectOf(moment, 'Check')) return;
      expect(!!effectOf(moment, 'Refuse')).toBe(isOver);
    }));

  it('is not refused any more once it is applied', () =>
    always(plans(), (moment, { plan }) => {
      if (plan.isRunner && moment.before.endsAt === undefined) return;
      expect(effectOf(moment, 'Refuse')).toBeUndefined();
    }));
});

describe.concurrent('the lease', () => {
  it('is not renewed by an equal or lower beat, a missing row, a row that is not HOLD, no grant or an error', async () => {
    let lost = 0;
    const plan = plans({ isOrderly: true, isRunner: true, ttlSeconds: 600 }, afterwards(frozen, { min: 15, max: 60 }));
    await always(plan, (moment, { plan: { graceSeconds }, moments }) => {
      const { now, at, event } = moment;
      if (event.type === 'LeaseUnread') expect(moment.effects).toEqual([]);
      if (event.type === 'LeaseRead' && now.advances === moment.before.advances) expect(moment.effects).toEqual([]);
      const isOver = now.endsAt !== undefined && at - (now.advancedAt ?? 0) > graceSeconds;
      if (!isTick(moment) || !isOver || !isDeciding(moment)) return;
      lost += 1;
      expect(revertOf(moment)).toMatchObject({ reason: 'LEASE_LOST' });
      // Not a second time.
      expect(moments.filter(revertOf).length).toBe(1);
    });
    expect(lost).toBeGreaterThan(10);
  });

  it('is lost, and the fault reverted at any tick, when no advance was sent for the grace, the supervisor half a second later', () =>
    always(plans(), (moment, { plan }) => {
      if (!isTick(moment) || !isDeciding(moment) || moment.now.endsAt === undefined) return;
      const grace = plan.graceSeconds + (plan.isRunner ? 0 : 0.5);
      const lost = lostSeconds(moment, plan);
      if (lost > grace + HAIR) expect(revertOf(moment)).toBeDefined();
      if (lost < grace - HAIR) expect(revertOf(moment)?.reason).not.toBe('LEASE_LOST');
    }));

  it('ends with its TTL: any tick that comes later reverts the fault, and none before for that reason', () =>
    always(plans(), (moment) => {
      const { now, at } = moment;
      if (!isTick(moment) || !isDeciding(moment)) return;
      if (now.endsAt !== undefined && at >= now.endsAt) expect(revertOf(moment)).toBeDefined();
      else expect(revertOf(moment)?.reason).not.toBe('TTL');
    }));

  it('reverts at once when a release or the kill switch is read of a fault that is applied', () =>
    always(plans({ isRunner: true }), (moment) => {
      const { now, before, event } = moment;
      if (event.type !== 'LeaseRead' || !isDeciding(moment) || before.endsAt === undefined) return;
      if (now.released) expect(moment.effects).toEqual([expect.objectContaining({ reason: now.released })]);
      else if (moment.at < before.endsAt) expect(revertOf(moment)).toBeUndefined();
    }));

  it('gives what ends in the kernel no more than the grace and a second, and only while the fault lives', () =>
    always(plans({ isRunner: true }), (moment, { plan }) => {
      const refresh = effectOf(moment, 'Refresh');
      const { now, before, event } = moment;
      const isRenewed = event.type === 'LeaseRead' && now.advances > before.advances && isDeciding(moment);
      const isThere = before.endsAt !== undefined && before.changedAt !== undefined;
      const isOver = moment.at >= (now.endsAt ?? Number.POSITIVE_INFINITY);
      if (!isOver) expect(refresh !== undefined).toBe(isRenewed && isThere && !now.released);
      if (refresh) expect(refresh.seconds).toBeLessThanOrEqual(plan.graceSeconds + 1);
    }));

  it('never lets what ends in the kernel live longer than a second beyond the TTL', () => {
    const plan = plans(
      { isOrderly: true, isRunner: true, ttlSeconds: 3, graceSeconds: 20 },
      afterwards(ageing, { min: 1, max: 12 }),
    );
    return always(fc.oneof(runners, plan), (moment) => {
      const refresh = effectOf(moment, 'Refresh');
      const endsAt = moment.now.endsAt ?? 0;
      if (refresh) expect(moment.at + Number(refresh.seconds)).toBeLessThanOrEqual(endsAt + 1 + HAIR);
    });
  });
});

describe.concurrent('the effect', () => {
  const looks = afterwards(sighted, { min: 5, max: 40 });
  const seeing = plans({ isOrderly: true, isRunner: true, ttlSeconds: 600, graceSeconds: 30 }, looks);
  /** Not to be seen at first. */
  const late = fc
    .tuple(looks, fc.nat({ max: 60 }))
    .map(([slots, from]) => slots.map((slot, place) => (place < from ? { ...slot, sight: 'unseen' as const } : slot)));

  it('is lost after exactly three looks, one after the other, that do not see it, and not before', async () => {
    let lost = 0;
    await always(seeing, (moment) => {
      const { now, event } = moment;
      const isLost = event.type === 'EffectSeen' && isDeciding(moment) && now.blindLooks === LOOKS;
      expect(revertOf(moment)?.reason === 'EFFECT_LOST').toBe(isLost);
      expect(now.blindLooks).toBeLessThanOrEqual(LOOKS);
      lost += isLost ? 1 : 0;
    });
    expect(lost).toBeGreaterThan(5);
  });

  it('is looked at with every beat while the fault lives, with a packet of our own after a look that saw nothing', () =>
    always(seeing, (moment) => {
      const { now, before, event } = moment;
      if (event.type !== 'LeaseRead' || !isDeciding(moment)) return;
      const isLooked = now.advances > before.advances && now.isConfirmed;
      const provokes = now.blindLooks > 0;
      expect(moment.effects.filter(({ type }) => type === 'Look')).toEqual(
        isLooked ? [{ type: 'Look', provokes }] : [],
      );
      // First the look: what has run out is not to be filled up unseen.
      if (isLooked) expect(moment.effects.map(({ type }) => type)).toEqual(['Look', 'Refresh']);
    }));

  it('has to be seen within 4 s of the change: a look that does not see it later reverts, no look before does', async () => {
    let failed = 0;
    const plan = plans({ isOrderly: true, isRunner: true, ttlSeconds: 600, graceSeconds: 30 }, late);
    await always(plan, (moment) => {
      const { now, event, at } = moment;
      if (event.type !== 'EffectSeen' || !isDeciding(moment) || now.isConfirmed || now.changedAt === undefined) return;
      if (isSeen(moment.before, event)) return expect(moment.effects).toEqual([{ type: 'Confirm' }]);
      const isLate = at > now.changedAt + EFFECT_SECONDS;
      const expected = isLate ? { type: 'Revert', reason: 'APPLY_FAILED' } : { type: 'Look', provokes: true };
      expect(moment.effects).toEqual([expect.objectContaining(expected)]);
      failed += isLate ? 1 : 0;
    });
    expect(failed).toBeGreaterThan(5);
  });
});

describe.concurrent('each process of the pair', () => {
  it('reverts and ends its peer at any tick when that was silent for more than 1.2 s, unless it stood still itself', () =>
    always(
      fc.oneof(plans(), plans({ ttlSeconds: 600, graceSeconds: 30 }, afterwards(quiet, { min: 5, max: 40 }))),
      (moment) => {
        if (!isTick(moment) || !isDeciding(moment)) return;
        if (isSilent(moment, HAIR))
          expect(revertOf(moment)).toMatchObject({ reason: 'WATCHDOG_DIED', ends_peer: true });
        if (!isSilent(moment, -HAIR)) expect(revertOf(moment)?.reason).not.toBe('WATCHDOG_DIED');
      },
    ));

  it('reverts and ends its peer when that has gone, and when it is told to end itself', () =>
    always(plans(), (moment) => {
      const isEnd = ['PeerClosed', 'Terminated'].includes(moment.event.type);
      if (!isEnd || !isDeciding(moment)) return;
      expect(moment.effects).toEqual([{ type: 'Revert', reason: 'WATCHDOG_DIED', ends_peer: true }]);
    }));

  it('reverts with the reason that it hears of, and leaves its peer alone, which reverts too', () =>
    always(plans({ isOrderly: true }, afterwards(reverting, { min: 1, max: 1 })), (moment) => {
      if (moment.event.type !== 'HeardRevert' || !isDeciding(moment)) return;
      expect(moment.effects).toEqual([{ type: 'Revert', reason: moment.event.reason, ends_peer: false }]);
    }));

  it('reverts at any tick when a tombstone is there, or the record is not, whatever else there is', () =>
    always(plans(), (moment) => {
      const { event } = moment;
      if (!isTick(moment) || !isDeciding(moment) || (event.has_record && !event.has_tombstone)) return;
      expect(['ROLLBACK', 'WATCHDOG_DIED']).toContain(revertOf(moment)?.reason);
    }));

  it('decides nothing any more once it reverts or refuses', () =>
    always(plans(), (moment) => {
      if (moment.before.isLeft) expect(moment.effects).toEqual([]);
      const last = moment.effects.findIndex(({ type }) => type === 'Revert' || type === 'Refuse');
      if (last >= 0) expect(last).toBe(moment.effects.length - 1);
    }));

  it('says with each tick that it lives, unless it has just said so, and the runner what the supervisor has to know', () =>
    always(plans(), (moment, { plan }) => {
      const { before, at, now } = moment;
      const say = effectOf(moment, 'Say');
      if (!isTick(moment) || !isDeciding(moment)) return expect(say).toBeUndefined();
      if (before.saidAt === undefined || at - before.saidAt >= SAY_SECONDS) expect(say).toBeDefined();
      if (!say || !plan.isRunner) return;
      expect(say.ends_at).toBe(now.endsAt ?? null);
      if (now.endsAt !== undefined) expect(say.advanced_at).toBe(now.advancedAt);
    }));

  it('ends no fault without one of the reasons that there are', () =>
    always(orderly, (moment, { plan }) => {
      const revert = revertOf(moment);
      if (!revert || moment.event.type === 'HeardRevert') return;
      expect(reasonsFor(moment, plan)).toContain(revert.reason);
      expect(revert.ends_peer).toBe(revert.reason === 'WATCHDOG_DIED');
    }));
});

/** Every reason for which a fault may end at this moment. */
function reasonsFor(moment: Moment, plan: Plan): unknown[] {
  const { event, now, at } = moment;
  const isOver = now.endsAt !== undefined;
  const reasons: Record<string, boolean | undefined> = {
    WATCHDOG_DIED: ['PeerClosed', 'Terminated'].includes(event.type) || (isTick(moment) && isSilent(moment, -HAIR)),
    ROLLBACK: isTick(moment) && (event.has_tombstone === true || event.has_record === false),
    TTL: now.endsAt !== undefined && at >= now.endsAt,
    LEASE_LOST: isTick(moment) && isOver && lostSeconds(moment, plan) > plan.graceSeconds,
    LEASE_RELEASED: isOver && now.released === 'LEASE_RELEASED',
    KILL_SWITCH: isOver && now.released === 'KILL_SWITCH',
    WORKER_DIED: event.type === 'WorkersSeen' && event.are_alive === false && now.isConfirmed,
    EFFECT_LOST: event.type === 'EffectSeen' && now.blindLooks === LOOKS,
    APPLY_FAILED:
      event.type === 'ApplyFailed' ||
      (event.type === 'EffectSeen' && now.changedAt !== undefined && at > now.changedAt + EFFECT_SECONDS) ||
      (isTick(moment) && !plan.isRunner && !isOver && at > plan.startsAt + FIRST_WORD_SECONDS),
  };
  return Object.keys(reasons).filter((reason) => reasons[reason]);
}

describe.concurrent('the supervisor', () => {
  it('has a deadline that no late message moves back', () =>
    always(supervisors, (moment, { plan, moments }) => {
      // What it says back tells by when it waits for.
      const said = moments.map((each) => effectOf(each, 'Say')).filter((say) => say !== undefined);
      const told = said.map(({ advanced_at }) => Number(advanced_at ?? 0));
      expect(told).toEqual([...told].sort((one, other) => one - other));
      const isLost = lostSeconds(moment, plan) > plan.graceSeconds + 0.5 + HAIR;
      if (isTick(moment) && isDeciding(moment) && moment.now.endsAt !== undefined && !isLost)
        expect(revertOf(moment)?.reason).not.toBe('LEASE_LOST');
    }));

  it('reverts when it has heard of no applied fault for 14 s, for the command has then answered that it failed', async () => {
    const waiting = plans({ isOrderly: true, isRunner: false, isAppliedFrom: 1_000 });
    await always(waiting, (moment, { plan }) => {
      if (!isTick(moment) || !isDeciding(moment)) return;
      if (moment.at > plan.startsAt + FIRST_WORD_SECONDS) expect(revertOf(moment)).toBeDefined();
      else expect(revertOf(moment)?.reason).not.toBe('APPLY_FAILED');
    });
  });

  it('reverts when nobody says a word from its birth on', async () => {
    const mute = plans({ isOrderly: true, isRunner: false }, fc.array(silent, { minLength: 60, maxLength: 60 }));
    await always(mute, ({ at, before }, { plan }) => {
      if (at > plan.startsAt + 10.3) expect(before.isLeft).toBe(true);
    });
  });
});

describe.concurrent('what these sentences were tried on', () => {
  it('was everything that can happen: each effect, each reason, each end', async () => {
    const seen = new Map<string, number>();
    const see = (name: unknown) => seen.set(String(name), 1 + (seen.get(String(name)) ?? 0));
    for (const { plan, moments } of await historiesOf(program, fc.sample(plans(), { numRuns: 500, seed: 8 }))) {
      for (const moment of moments) {
        for (const effect of moment.effects) see(effect.type);
        if (revertOf(moment) && moment.event.type !== 'HeardRevert')
          see(`${plan.isRunner ? 'runner' : 'supervisor'} ${revertOf(moment)?.reason}`);
      }
    }
    const ofRunner = [...REVERT_REASONS, 'APPLY_FAILED', 'EFFECT_LOST'].map((reason) => `runner ${reason}`);
    const ofSupervisor = ['TTL', 'LEASE_LOST', 'WATCHDOG_DIED', 'ROLLBACK', 'APPLY_FAILED'].map(
      (reason) => `supervisor ${reason}`,
    );
    const effects = ['Say', 'Check', 'Apply', 'Confirm', 'Refuse', 'Refresh', 'Look', 'Revert'];
    for (const name of [...effects, ...ofRunner, ...ofSupervisor]) expect(seen.get(name) ?? 0, name).toBeGreaterThan(0);
  });
});

describe.concurrent('a process sleeps', () => {
  it('no longer than the fault or its lease may last, and wakes up to end it', () => {
    const seconds = (max: number) => fc.double({ min: 0.01, max, noNaN: true });
    const property = fc.asyncProperty(seconds(600), seconds(60), seconds(5), async (left, grace, age) => {
      const at = 1000;
      const heard = { type: 'Heard', advanced_at: at - age, ends_at: at + left };
      const begun = { machine: 'peer', begin: [false, grace, 600, '', at - 1] } as const;
      const [asleep] = await program.decideOne({ ...begun, steps: [{ event: heard, at }] });
      const deadline = asleep?.deadline ?? Number.NaN;
      expect(deadline).toBeLessThanOrEqual(at + left);
      const tick = { type: 'Tick', has_tombstone: false, has_record: true };
      const ends = async (tickAt: number) => {
        const again = { event: heard, at: Math.max(at, tickAt) };
        const [, answer] = await program.decideOne({ ...begun, steps: [again, { event: tick, at: tickAt }] });
        return answer?.effects.some(({ type }) => type === 'Revert');
      };
      expect(await ends(deadline)).toBe(true);
      if (deadline - HAIR > at) expect(await ends(deadline - HAIR)).toBe(false);
    });
    return holds(property);
  });
});
