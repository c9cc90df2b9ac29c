import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkVerdicts } from '../../../functions/domain/check-verdicts.ts';
import { type Check, STEADY } from '../../../functions/domain/hypothesis.ts';
import { judge } from '../../../functions/domain/verdict.ts';
import type { CheckReading, CheckVerdict } from '../../../functions/domain/workflow.ts';
import { SEED_FAULT, seedExperiment } from './experiment-fixtures.ts';
import { detailsOf, EPOCH_MS, fullRun, type Given, iso, logAfter, type RunChanges } from './fixtures.ts';
import { checkOf, hypothesisOf, WRITE_LATENCY } from './hypothesis-fixtures.ts';
import { roleIn, targetNode } from './target-fixtures.ts';

/** Seconds of `fullRun`: the fault is announced, confirmed, begins to end, is lifted; the store is healthy. */
const [ANNOUNCED, CONFIRMED, ENDING, LIFTED, RECOVERED] = [2, 3, 63, 63, 70];
/** Everybody looks on until here. */
const SEEN_UNTIL = 78;
const FROM_SECOND = EPOCH_MS / 1000 + ANNOUNCED;
const limits = { 'redis-master': { rtoSeconds: 15, unavailableSeconds: 30, lostAcknowledgedWrites: 0 } };

type Value = number | null;
/** By the second of the run. */
const valuesOf = (at: (second: number) => Value, untilSecond = SEEN_UNTIL) =>
  Array.from({ length: untilSecond - ANNOUNCED + 1 }, (_, index) => at(ANNOUNCED + index));
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
      ...{ result: 'UNKNOWN', reason: 'nobody has read it back from Prometheus' },
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

describe('what must happen', () => {
  const check = checkOf({
    ...{ name: 'failover', measure: { kind: 'ALERT', alert: 'Failover' }, tolerance: { atLeast: 1, unit: 'alerts' } },
    ...{ when: 'HAPPENS', withinSeconds: 15 },
  });
  const from = (first: number) => (second: number) => (second >= first ? 1 : 0);

  it('happened in time, or did not', () => {
    expect(verdictOf(check, from(ANNOUNCED + 15))).toMatchObject({ result: 'HELD', heldAfterSeconds: 15 });
    expect(verdictOf(check, from(ANNOUNCED + 16))).toMatchObject({
      ...{ result: 'FAILED', measured: 0, reason: 'was not at least 1 alerts within 15 s' },
    });
  });

  it('is unknown where it may have happened unseen', () => {
    expect(verdictOf(check, (second) => (second === 9 ? null : 0))?.result).toBe('UNKNOWN');
    expect(verdictOf(check, (second) => (second === 9 ? null : 1))?.result).toBe('HELD');
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
    const faults = [1, 2].map((number) => ({ ...SEED_FAULT, faultId: `exp.${number}` }));
    const resolved = faults.map(({ faultId }, index) => ({
      ...{ faultId, peers: [], shardMembers: [] },
      impacted: [targetNode(index + 1, { roles: [roleIn(`shard-${index + 1}`, 'master')] })],
    }));
    const changes = {
      ADMITTED: { experiment: { ...seedExperiment(), faults, hypothesis: hypothesisOf(loss) } },
      TARGETS_RESOLVED: { targets: { faults: resolved, exemptAddresses: {} } },
    };
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
      logWith(
        check,
        valuesOf(() => 20),
        { GUARD_STOPPED: { reason: 'ABORT', detail: 'asked to' } },
      ),
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
