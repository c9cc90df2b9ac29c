import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkVerdicts } from '../../../functions/domain/check-verdicts.ts';
import { type Check, STEADY } from '../../../functions/domain/hypothesis.ts';
import type { Measure } from '../../../functions/domain/measures.ts';
import { judge } from '../../../functions/domain/verdict.ts';
import type { CheckReading, CheckVerdict } from '../../../functions/domain/workflow.ts';
import { SEED_FAULT, seedExperiment } from './experiment-fixtures.ts';
import { detailsOf, EPOCH_MS, fullRun, type Given, iso, logAfter, type RunChanges, rolledBack } from './fixtures.ts';
import { checkOf, hypothesisOf, WRITE_LATENCY } from './hypothesis-fixtures.ts';
import { roleIn, targetNode } from './target-fixtures.ts';

/** Seconds of `fullRun`: the fault is announced, confirmed, begins to end, is lifted; the store is healthy. */
const [ANNOUNCED, CONFIRMED, ENDING, LIFTED, RECOVERED] = [2, 3, 62, 63, 70];
/** Everybody looks on until here. */
const SEEN_UNTIL = 78;
/** Somebody looks from before the fault on. */
const SEEN_FROM = ANNOUNCED - 2;
const FROM_SECOND = EPOCH_MS / 1000 + SEEN_FROM;
const limits = { 'redis-master': { rtoSeconds: 15, unavailableSeconds: 30, lostAcknowledgedWrites: 0 } };

type Value = number | null;
/** By the second of the run. */
const valuesOf = (at: (second: number) => Value, untilSecond = SEEN_UNTIL) =>
  Array.from({ length: untilSecond - SEEN_FROM + 1 }, (_, index) => at(SEEN_FROM + index));
const observed = (check: Check, values: Value[], problem?: string) => ({
  ...{ probed: undefined, fromSecond: FROM_SECOND },
  series: [{ check: check.name, values, ...(problem === undefined ? {} : { problem }) }],
});
const admitted = (...checks: Check[]) => ({
  ADMITTED: { experiment: { ...seedExperiment(), hypothesis: hypothesisOf(...checks) } },
});

function logWith(check: Check, values: Value[], changes: RunChanges = {}) {
  return fullRun({ ...admitted(check), CHECKS_OBSERVED: observed(check, values), ...changes });
}
function verdictOf(check: Check, at: (second: number) => Value, changes: RunChanges = {}): CheckVerdict | undefined {
  return checkVerdicts(logWith(check, valuesOf(at), changes))[0];
}
const outcomeOf = (check: Check, at: (second: number) => Value) => {
  const { outcome, reason } = judge(logWith(check, valuesOf(at)), limits);
  return { outcome, reason };
};
/** Out of the tolerance in these seconds, both included. */
const outFrom =
  (first: number, last = Number.POSITIVE_INFINITY) =>
  (second: number) =>
    second >= first && second <= last ? 500 : 20;
const unknownAt = (at: number) => (second: number) => (second === at ? null : 20);

/** A run on two shards, of which the probe of `fullRun` measured the first. */
function onTwoShards(check: Check): RunChanges {
  const faults = [1, 2].map((number) => ({ ...SEED_FAULT, faultId: `exp.${number}` }));
  const resolved = faults.map(({ faultId }, index) => ({
    ...{ faultId, peers: [], shardMembers: [] },
    impacted: [targetNode(index + 1, { roles: [roleIn(`shard-${index + 1}`, 'master')] })],
  }));
  return {
    ADMITTED: { experiment: { ...seedExperiment(), faults, hypothesis: hypothesisOf(check) } },
    TARGETS_RESOLVED: { targets: { faults: resolved, exemptAddresses: {} } },
  };
}

describe('a check that must hold throughout', () => {
  const check = checkOf({ when: 'THROUGHOUT' });

  it('held when it was in its tolerance at every second until the store was healthy', () => {
    expect(verdictOf(check, () => 20)).toMatchObject({
      name: 'lag',
      measure: 'max(lag_ms)',
      result: 'HELD',
      measured: 20,
    });
    expect(outcomeOf(check, () => 20)).toEqual({
      outcome: 'CONFIRMED',
      reason: 'every budget was met, and every check held',
    });
  });

  it('failed with its worst value, when and for how long, and the run deviated', () => {
    const at = (second: number) => (second === 10 ? 700 : outFrom(10, 14)(second));
    expect(verdictOf(check, at)).toMatchObject({
      ...{ result: 'FAILED', measured: 700, failedSeconds: 5, firstFailedAt: iso(10), lastFailedAt: iso(14) },
      reason: '5 of 69 s it was not at most 100 ms',
    });
    expect(outcomeOf(check, at)).toEqual({ outcome: 'DEVIATED', reason: 'lag: 5 of 69 s it was not at most 100 ms' });
  });

  it.each([ANNOUNCED, 30, RECOVERED])('is unknown when second %d is, and nothing is confirmed', (second) => {
    expect(verdictOf(check, unknownAt(second))).toMatchObject({ result: 'UNKNOWN', unknownSeconds: 1 });
    expect(outcomeOf(check, unknownAt(second)).outcome).toBe('INCONCLUSIVE');
  });

  it('does not judge what came before the fault, or after the store was healthy', () => {
    expect(verdictOf(check, outFrom(RECOVERED + 1))?.result).toBe('HELD');
    expect(verdictOf(check, outFrom(RECOVERED))?.result).toBe('FAILED');
  });

  it('failed where some seconds are unknown and another was out', () => {
    expect(verdictOf(check, (second) => (second === 5 ? null : outFrom(9, 9)(second)))).toMatchObject({
      ...{ result: 'FAILED', failedSeconds: 1, unknownSeconds: 1 },
    });
  });

  it('says why nobody knows', () => {
    const CHECKS_OBSERVED = observed(check, [], 'connection refused');
    expect(verdictOf(check, () => 20, { CHECKS_OBSERVED })?.reason).toMatch(/connection refused$/);
    expect(verdictOf(check, () => 20, { CHECKS_OBSERVED: undefined })).toMatchObject({
      ...{ result: 'UNKNOWN', reason: expect.stringContaining('nobody has read it back from Prometheus') },
    });
  });
});

describe('a check that must hold some time after the fault', () => {
  const check = checkOf({ when: 'AFTER_FAULT', withinSeconds: 10 });

  it('held when it was out until then only, and says after how long', () => {
    expect(verdictOf(check, outFrom(0, CONFIRMED + 6))).toMatchObject({ result: 'HELD', heldAfterSeconds: 7 });
    expect(verdictOf(check, () => 20)).toMatchObject({ result: 'HELD', heldAfterSeconds: 0 });
  });

  it('failed when it was out at that second, or at any later one before the fault began to end', () => {
    expect(verdictOf(check, outFrom(0, CONFIRMED + 10))?.result).toBe('FAILED');
    expect(verdictOf(check, outFrom(ENDING - 1, ENDING - 1))?.result).toBe('FAILED');
    expect(verdictOf(check, outFrom(ENDING))?.result).toBe('HELD');
  });

  it('counts until the first host has lifted its fault, which it may do before the common end', () => {
    const early = { ROLLED_BACK: rolledBack({ liftedAt: iso(ENDING - 2) }) };
    expect(verdictOf(check, outFrom(ENDING - 2, ENDING - 1), early)?.result).toBe('HELD');
    expect(verdictOf(check, outFrom(ENDING - 3, ENDING - 1), early)?.result).toBe('FAILED');
  });

  it('is unknown when the faults ended before it had its time, and it was not there yet', () => {
    const INJECTED = { confirmedAt: iso(ENDING - 5) };
    expect(verdictOf(check, outFrom(0, ENDING - 1), { INJECTED })).toMatchObject({
      ...{
        result: 'UNKNOWN',
        reason: 'it had 10 s, of which 4 s could be seen: at their end it was not at most 100 ms',
      },
    });
    expect(verdictOf(check, outFrom(0, ENDING - 2), { INJECTED })?.result).toBe('HELD');
  });

  it('counts to the common end, at which hosts end their faults by themselves, however late the rollback begins', () => {
    const INJECTED = { endsAt: iso(ENDING - 3) };
    expect(verdictOf(check, outFrom(ENDING - 3, ENDING - 1), { INJECTED })?.result).toBe('HELD');
    expect(verdictOf(check, outFrom(ENDING - 4, ENDING - 1), { INJECTED })?.result).toBe('FAILED');
  });

  it('is unknown when it is not known afterwards, whatever was known before', () => {
    expect(verdictOf(check, unknownAt(CONFIRMED + 9))?.result).toBe('HELD');
    expect(verdictOf(check, unknownAt(CONFIRMED + 10))?.result).toBe('UNKNOWN');
  });
});

describe('a check that must hold some time after the rollback', () => {
  it('failed when it was out after that time', () => {
    const check = checkOf({ when: 'AFTER_ROLLBACK', withinSeconds: 5 });
    expect(verdictOf(check, outFrom(5, LIFTED + 4))).toMatchObject({ result: 'HELD', heldAfterSeconds: 5 });
    expect(verdictOf(check, outFrom(5, LIFTED + 5))?.result).toBe('FAILED');
    expect(verdictOf(check, outFrom(SEEN_UNTIL))?.result).toBe('FAILED');
  });

  it('is unknown when nobody looked on for long enough, and it was not there yet', () => {
    const check = checkOf({ when: 'AFTER_ROLLBACK', withinSeconds: 60 });
    expect(verdictOf(check, outFrom(5))).toMatchObject({ result: 'UNKNOWN', reason: /^it had 60 s, of which 15 s/ });
    expect(verdictOf(check, outFrom(5, LIFTED + 3))).toMatchObject({ result: 'HELD', heldAfterSeconds: 4 });
  });

  it('of the steady state counts at the end: what was out during the fault only is back', () => {
    const check = checkOf({ when: STEADY });
    expect(verdictOf(check, outFrom(5, SEEN_UNTIL - 1))?.result).toBe('HELD');
    expect(verdictOf(check, outFrom(5, SEEN_UNTIL))?.result).toBe('FAILED');
    expect(verdictOf(check, unknownAt(SEEN_UNTIL))?.result).toBe('UNKNOWN');
  });

  it('is unknown when nobody looked on until the store was healthy', () => {
    const check = checkOf({ when: STEADY });
    const short = logWith(
      check,
      valuesOf(() => 20, RECOVERED - 1),
    );
    expect(checkVerdicts(short)[0]?.result).toBe('UNKNOWN');
  });
});

describe('a source that is scraped every 30 s', () => {
  const gapSeconds = 61;
  /** A sample in these seconds, of that value. */
  const sampledAt = (samples: Record<number, number>, untilSecond = SEEN_UNTIL) => ({
    CHECKS_OBSERVED: {
      ...{ probed: undefined, fromSecond: EPOCH_MS / 1000 - 60 },
      series: [
        {
          ...{ check: 'lag', gapSeconds },
          values: Array.from({ length: untilSecond + 61 }, (_, index) => samples[index - 60] ?? null),
        },
      ],
    },
  });
  const of = (when: Check['when'], samples: Record<number, number>, withinSeconds?: number) =>
    verdictOf(
      checkOf({ when, ...(withinSeconds === undefined ? {} : { withinSeconds }) }),
      () => null,
      sampledAt(samples),
    )?.result;

  it('says nothing of a time in which it was not sampled, whatever it said before', () => {
    expect(of('AFTER_FAULT', { [-20]: 20, [CONFIRMED]: 20, [LIFTED]: 20 }, 5)).toBe('UNKNOWN');
    expect(of('STEADY', { [LIFTED - 10]: 20 })).toBe('UNKNOWN');
  });

  it('is judged by each sample that was taken while it had to hold', () => {
    expect(of('AFTER_FAULT', { [CONFIRMED]: 500, 20: 20, 50: 20 }, 5)).toBe('HELD');
    expect(of('AFTER_FAULT', { [CONFIRMED]: 20, 20: 20, 50: 500 }, 5)).toBe('FAILED');
    expect(of('THROUGHOUT', { 10: 20, 40: 20, [RECOVERED]: 20 })).toBe('HELD');
    expect(of('STEADY', { 40: 500, [SEEN_UNTIL]: 20 })).toBe('HELD');
  });
});

describe('while our fence keeps clients away', () => {
  const rate: Measure = { kind: 'PROMQL', query: 'sum(rate(lag[5s]))', freshness: 'lag', control: 'count(lag)' };
  const check = checkOf({ when: 'THROUGHOUT', measure: rate });
  const fenced = {
    ROLLED_BACK: rolledBack({ fence: { outcome: 'SETTLED', raisedAt: iso(LIFTED), loweredAt: iso(LIFTED + 2) } }),
  };

  it('what is out says nothing of the system: it takes the confirmation away, and no more', () => {
    expect(verdictOf(check, outFrom(LIFTED, LIFTED + 5), fenced)).toMatchObject({
      ...{ result: 'UNKNOWN', reason: 'while our fence kept clients away, 6 of 69 s it was not at most 100 ms' },
    });
    expect(verdictOf(check, outFrom(LIFTED - 3, LIFTED + 2), fenced)?.result).toBe('FAILED');
  });

  it('is over when the range of a query holds nothing of it any more', () => {
    expect(verdictOf(check, outFrom(LIFTED, LIFTED + 7), fenced)?.result).toBe('UNKNOWN');
    const now = checkOf({ when: 'THROUGHOUT' });
    expect(verdictOf(now, outFrom(LIFTED, LIFTED + 3), fenced)?.result).toBe('UNKNOWN');
    expect(verdictOf(now, outFrom(LIFTED, LIFTED + 4), fenced)?.result).toBe('FAILED');
  });
});

describe('what must happen', () => {
  const check = checkOf({
    ...{ name: 'failover', measure: { kind: 'ALERT', alert: 'Failover' }, tolerance: { atLeast: 1, unit: 'alerts' } },
    ...{ when: 'HAPPENS', withinSeconds: 15 },
  });
  const from = (first: number) => (second: number) => (second >= first ? 1 : 0);

  it('has not happened when it was so before the fault already, or nobody knows whether it was', () => {
    expect(verdictOf(check, () => 1)).toMatchObject({
      result: 'UNKNOWN',
      reason: 'it was so before the fault already',
    });
    expect(verdictOf(check, (second) => (second < ANNOUNCED ? 1 : 0))?.result).toBe('UNKNOWN');
    expect(verdictOf(check, (second) => (second < ANNOUNCED ? null : from(9)(second)))).toMatchObject({
      ...{ result: 'UNKNOWN', reason: 'not known whether it was so before the fault' },
    });
  });

  it('happened in time, or did not', () => {
    expect(verdictOf(check, from(ANNOUNCED + 15))).toMatchObject({ result: 'HELD', heldAfterSeconds: 15 });
    expect(verdictOf(check, from(ANNOUNCED + 16))).toMatchObject({
      ...{ result: 'FAILED', measured: 0, reason: 'was not at least 1 alerts within 15 s' },
    });
  });

  it('is unknown where it may have happened unseen', () => {
    expect(verdictOf(check, (second) => (second === 9 ? null : 0))?.result).toBe('UNKNOWN');
    expect(verdictOf(check, (second) => (second === 9 ? null : from(5)(second)))?.result).toBe('HELD');
  });
});

describe('one value of the whole run', () => {
  const loss = checkOf({
    ...{ measure: { kind: 'PROBE', name: 'lostAcknowledgedWrites' }, tolerance: { atMost: 0, unit: 'writes' } },
  });

  it('is the worst of the impacted shards', () => {
    expect(verdictOf(loss, () => null)).toMatchObject({ result: 'HELD', measured: 0 });
    const lost = { PROBE_MEASURED: { lostAcknowledgedWrites: 3 } };
    expect(verdictOf(loss, () => null, lost)).toMatchObject({
      ...{ result: 'FAILED', measured: 3, reason: 'is 3 writes, it must be at most 0 writes' },
    });
  });

  it('is unknown where one of two shards was not measured, and failed where the other is out', () => {
    const changes = onTwoShards(loss);
    expect(checkVerdicts(fullRun(changes))[0]).toMatchObject({
      ...{ result: 'UNKNOWN', reason: 'shard-2 of redis-master: the probe left no report' },
    });
    const lost = { PROBE_MEASURED: { lostAcknowledgedWrites: 1 } };
    expect(checkVerdicts(fullRun({ ...changes, ...lost }))[0]?.result).toBe('FAILED');
  });

  it('is unknown when it was not measured, with the reason', () => {
    const unread = { PROBE_MEASURED: { lostAcknowledgedWrites: undefined } };
    expect(verdictOf(loss, () => null, unread)?.result).toBe('UNKNOWN');
    expect(verdictOf(loss, () => null, { PROBE_MEASURED: undefined })).toMatchObject({
      ...{ result: 'UNKNOWN', reason: 'shard-1 of redis-master: the probe left no report' },
    });
  });
});

describe('what the probe measures each second', () => {
  const check = checkOf({ measure: WRITE_LATENCY });
  const { cluster, shard, invocation } = detailsOf('PROBE_READY');
  const byProbe = (values: Value[], of = shard) => ({
    ...observed(check, values),
    probed: { cluster, shard: of, invocation },
  });

  it('is judged apart from what is in Prometheus, in whichever order both were written', () => {
    const both = [checkOf({ name: 'lag' }), check].map((one, index) => ({ ...one, name: `check ${index}` }));
    const [lag, writes] = both;
    if (!lag || !writes) throw new Error('no checks');
    const before = fullRun(admitted(...both));
    const known = valuesOf(() => 20);
    const [told, measured] = [
      observed(lag, known),
      { ...observed(writes, known), probed: { cluster, shard, invocation } },
    ];
    for (const order of [
      [told, measured],
      [measured, told],
    ]) {
      const log = logAfter(before, ...order.map((details): Given => ['CHECKS_OBSERVED', details]));
      expect(checkVerdicts(log).map(({ result }) => result)).toEqual(['HELD', 'HELD']);
    }
  });

  it('is judged by its own lines, of the shard that was probed', () => {
    const CHECKS_OBSERVED = byProbe(valuesOf(outFrom(9, 9)));
    expect(verdictOf(check, () => 20, { CHECKS_OBSERVED })).toMatchObject({ result: 'FAILED', measured: 500 });
    const other = byProbe(
      valuesOf(() => 20),
      'shard-2',
    );
    expect(verdictOf(check, () => 20, { CHECKS_OBSERVED: other })?.result).toBe('UNKNOWN');
    expect(verdictOf(check, () => 20)?.result).toBe('UNKNOWN');
  });

  it('failed when one shard is out, although nobody knows of another', () => {
    const changes = onTwoShards(check);
    const seen = (at: (second: number) => Value) =>
      checkVerdicts(fullRun({ ...changes, CHECKS_OBSERVED: byProbe(valuesOf(at)) }))[0];
    expect(seen(outFrom(9, 9))).toMatchObject({ result: 'FAILED', failedSeconds: 1 });
    expect(seen(() => 20)).toMatchObject({
      result: 'UNKNOWN',
      reason: /shard-2 of redis-master: the probe left no report/,
    });
  });

  it('counts no more than the rest of a measurement that does not count', () => {
    const changes = {
      CHECKS_OBSERVED: byProbe(valuesOf(() => 20)),
      PROBE_MEASURED: { largestGapSeconds: 3 },
    };
    expect(verdictOf(check, () => 20, changes)).toMatchObject({
      ...{ result: 'UNKNOWN', reason: expect.stringContaining('the probe did nothing for 3 s') },
    });
  });
});

describe('a check that had to hold before', () => {
  const check = checkOf({ when: 'BEFORE' });
  const seen = (reading: Partial<CheckReading> = {}) => ({
    STEADY_STATE_CONFIRMED: { checks: [{ check: 'lag', value: 12, held: true, ...reading }] },
  });

  it('is told with what was seen then', () => {
    expect(verdictOf(check, () => 500, seen())).toMatchObject({ result: 'HELD', measured: 12 });
    expect(verdictOf(check, () => 20)).toMatchObject({ result: 'UNKNOWN' });
  });
});

describe('at random seconds', () => {
  const oneOf = fc.constantFrom<Value>(20, 20, 20, 20, null, 500);
  const line = fc.array(oneOf, { minLength: SEEN_UNTIL - SEEN_FROM + 1, maxLength: SEEN_UNTIL - SEEN_FROM + 1 });
  const quiet = fc.array(fc.record({ at: fc.nat(SEEN_UNTIL - SEEN_FROM), value: oneOf }), { maxLength: 3 });
  const few = quiet.map((changes) =>
    valuesOf((second) => changes.find(({ at }) => at === second - SEEN_FROM)?.value ?? 20),
  );

  it.each<[when: Check['when'], from: number, until: number, withinSeconds?: number]>([
    ['THROUGHOUT', ANNOUNCED, RECOVERED],
    ['AFTER_FAULT', CONFIRMED + 10, ENDING - 1, 10],
    ['AFTER_ROLLBACK', LIFTED + 5, SEEN_UNTIL, 5],
    ['STEADY', SEEN_UNTIL, SEEN_UNTIL],
  ])(
    'a check %s held when each second from %d to %d is known and in its tolerance',
    (when, from, until, withinSeconds) => {
      const check = checkOf({ when, ...(withinSeconds === undefined ? {} : { withinSeconds }) });
      fc.assert(
        fc.property(fc.oneof(line, few), (values) => {
          const own = values.slice(from - SEEN_FROM, until - SEEN_FROM + 1);
          const expected = own.includes(500) ? 'FAILED' : own.includes(null) ? 'UNKNOWN' : 'HELD';
          const [judged] = checkVerdicts(logWith(check, values));
          expect(judged?.result).toBe(expected);
          const { outcome } = judge(logWith(check, values), limits);
          expect(outcome).toBe({ FAILED: 'DEVIATED', UNKNOWN: 'INCONCLUSIVE', HELD: 'CONFIRMED' }[expected]);
        }),
      );
    },
  );
});

describe('a run with a hypothesis', () => {
  it('confirms nothing without every check, and names the ones that failed', () => {
    const known: Value = 20;
    const value = fc.oneof(fc.constant<Value>(null), fc.constant<Value>(500), fc.constant<Value>(known));
    const lines = fc.record({ throughout: value, after: value, happens: value });
    fc.assert(
      fc.property(lines, ({ throughout, after, happens }) => {
        const checks = [
          checkOf({ name: 'a', when: 'THROUGHOUT' }),
          checkOf({ name: 'b', when: 'AFTER_FAULT', withinSeconds: 10 }),
          checkOf({ name: 'c', when: 'HAPPENS', withinSeconds: 10 }),
        ];
        const series = [throughout, after, happens].map((each, index) => ({
          ...{ check: checks[index]?.name ?? '', values: valuesOf(() => each) },
        }));
        const log = fullRun({
          ...admitted(...checks),
          CHECKS_OBSERVED: { probed: undefined, fromSecond: FROM_SECOND, series },
        });
        const { outcome, reason, checks: judged = [] } = judge(log, limits);
        const results = judged.map(({ result }) => result);
        expect(outcome).toBe(
          results.includes('FAILED') ? 'DEVIATED' : results.includes('UNKNOWN') ? 'INCONCLUSIVE' : 'CONFIRMED',
        );
        for (const { name, result } of judged) if (result === 'FAILED') expect(reason).toContain(`${name}: `);
      }),
    );
  });

  it('tells what became of its checks when it was aborted too', () => {
    const check = checkOf({ when: 'HAPPENS', withinSeconds: 15 });
    const verdict = judge(
      logWith(check, valuesOf(outFrom(0, 9)), { GUARD_STOPPED: { reason: 'ABORT', detail: 'asked to' } }),
      limits,
    );
    expect(verdict).toMatchObject({ status: 'ABORTED', checks: [{ name: 'lag', result: 'HELD' }] });
  });

  it('says of a run in which nothing was injected that nothing is known', () => {
    const check = checkOf({ when: 'THROUGHOUT' });
    const log = fullRun({ ...admitted(check), INJECTING: undefined, INJECTED: undefined });
    expect(checkVerdicts(log)).toMatchObject([{ result: 'UNKNOWN', reason: 'nothing was injected' }]);
  });
});
