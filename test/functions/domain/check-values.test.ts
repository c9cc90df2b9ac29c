import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  firstWindowSecond,
  isProbed,
  observeAll,
  probedBefore,
  readBefore,
  type ShardView,
  standing,
  valueAt,
} from '../../../functions/domain/check-values.ts';
import { type Check, MAX_CHECKS } from '../../../functions/domain/hypothesis.ts';
import { bytesOf, MAX_ENTRY_BYTES } from '../../../functions/domain/limits.ts';
import { MAX_LATENCY_MS, type Measure, PROBE_WINDOW_SECONDS } from '../../../functions/domain/measures.ts';
import { latencyMs, type TimedOperation } from '../../../functions/domain/open-loop.ts';
import { FUNCTION_SECONDS } from '../../../functions/domain/timing.ts';
import { checkOf, LAG, WRITE_LATENCY } from './hypothesis-fixtures.ts';

const FIRST_SECOND = 1_000_000;
/** Twenty operations a second, the first one after that time; each as slow as it is said to be. */
function operations(seconds: number, slowMs: (index: number) => number | undefined, afterMs = 0): TimedOperation[] {
  return Array.from({ length: 20 * seconds }, (_, index) => {
    const dueMs = afterMs + 50 * index;
    const latency = slowMs(index);
    return latency === undefined ? { dueMs, ok: false } : { dueMs, endedMs: dueMs + latency, ok: true };
  });
}
const viewOf = (changes: Partial<ShardView> = {}): ShardView => ({
  ...{ writes: operations(10, () => 1), reads: operations(10, () => 2), consumes: [], health: [], nowMs: 10_000 },
  ...{ epochOffsetMs: FIRST_SECOND * 1000, ...changes },
});
const latency = (
  quantile: number,
  name: 'writeLatencyMs' | 'readLatencyMs' | 'consumerLagMs' = 'writeLatencyMs',
): Measure => ({
  ...{ kind: 'PROBE', name, quantile },
});
const REPLICAS: Measure = { kind: 'ENGINE', name: 'onlineReplicas' };

describe('the value of a latency at a second', () => {
  it('is the quantile over the operations that were due in the past five whole seconds, that one included', () => {
    const writes = operations(10, (index) => index);
    expect(valueAt(latency(0.5), FIRST_SECOND + 4, viewOf({ writes }))).toBe(49);
    expect(valueAt(latency(0.99), FIRST_SECOND + 4, viewOf({ writes }))).toBe(98);
    expect(valueAt(latency(0.5), FIRST_SECOND + 9, viewOf({ writes }))).toBe(149);
    expect(valueAt(latency(0.5, 'readLatencyMs'), FIRST_SECOND + 9, viewOf({ writes }))).toBe(2);
  });

  it('is not known before a whole window was seen', () => {
    expect(valueAt(latency(0.5), FIRST_SECOND + 3, viewOf())).toBeUndefined();
    const late = viewOf({ writes: operations(10, () => 1, 1) });
    expect(valueAt(latency(0.5), FIRST_SECOND + 4, late)).toBeUndefined();
    expect(firstWindowSecond(late)).toBe(FIRST_SECOND + 5);
    expect(valueAt(latency(0.5), FIRST_SECOND + 5, late)).toBe(1);
    expect(firstWindowSecond(viewOf())).toBe(FIRST_SECOND + 4);
    expect(firstWindowSecond(viewOf({ writes: [] }))).toBeUndefined();
    expect(valueAt(latency(0.5), FIRST_SECOND + 4, viewOf({ writes: [] }))).toBeUndefined();
  });

  it('counts an operation that is under way as old as it is, and one that failed as the longest there is', () => {
    const writes = operations(5, (index) => (index < 95 ? 1 : undefined));
    expect(valueAt(latency(0.99), FIRST_SECOND + 4, viewOf({ writes, nowMs: 6000 }))).toBe(1200);
    const failed = writes.map((write) => ({ ...write, endedMs: write.dueMs + 3 }));
    expect(valueAt(latency(0.99), FIRST_SECOND + 4, viewOf({ writes: failed }))).toBe(MAX_LATENCY_MS);
  });

  it('is what sorting all latencies of the window gives, for any latencies and any moment', () => {
    const slow = fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { minLength: 240, maxLength: 240 });
    const permille = fc.integer({ min: 1, max: 999 });
    fc.assert(
      fc.property(
        slow,
        permille,
        fc.integer({ min: 4, max: 9 }),
        fc.integer({ min: 0, max: 900 }),
        (all, p, at, afterMs) => {
          const writes = operations(12, (index) => all[index], afterMs);
          const value = valueAt(latency(p / 1000), FIRST_SECOND + at + 1, viewOf({ writes }));
          const [from, to] = [(at + 2 - PROBE_WINDOW_SECONDS) * 1000, (at + 2) * 1000];
          const expected = writes
            .filter(({ dueMs }) => dueMs >= from && dueMs < to)
            .map((write) => latencyMs(write))
            .toSorted((a, b) => a - b);
          expect(value).toBeCloseTo(expected[Math.ceil((p * expected.length) / 1000) - 1] ?? Number.NaN, 3);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a measure that the probe of this engine does not take', () => {
  it('is not known', () => {
    expect(
      valueAt({ kind: 'PROBE', name: 'consumerLagMs', quantile: 0.99 }, FIRST_SECOND + 9, viewOf()),
    ).toBeUndefined();
    expect(valueAt(LAG, FIRST_SECOND + 9, viewOf())).toBeUndefined();
  });
});

describe('the health of the engine at a second', () => {
  it('is what was said in that second, and not known when nothing was', () => {
    const health = [
      { second: FIRST_SECOND, values: { onlineReplicas: 2 } },
      { second: FIRST_SECOND + 2, values: { masters: 1 } },
    ];
    const at = (second: number) => valueAt(REPLICAS, FIRST_SECOND + second, viewOf({ health }));
    expect([at(0), at(1), at(2)]).toEqual([2, undefined, undefined]);
  });
});

describe('what checks were before a fault', () => {
  const health = (counts: (number | undefined)[]) =>
    counts.map((count, index) => ({
      ...{ second: FIRST_SECOND + index, values: count === undefined ? {} : { onlineReplicas: count } },
    })) as ShardView['health'][number][];
  const replicas = checkOf({ name: 'replicas', measure: REPLICAS, tolerance: { atLeast: 2, unit: 'replicas' } });
  const inWindow = (counts: (number | undefined)[]) =>
    readBefore([replicas], FIRST_SECOND + 4, viewOf({ health: health(counts) }))[0];

  it('is the worst of the window', () => {
    expect(inWindow([2, 3, 2, 2, 2])).toEqual({ check: 'replicas', value: 2, held: true });
    expect(inWindow([2, 1, 2, 2, 2])).toEqual({
      ...{ check: 'replicas', value: 1, held: false, reason: 'is 1 replicas, it must be at least 2 replicas' },
    });
  });

  it('does not hold when it was not known at one second of the window', () => {
    const reason = 'was not known at 1 s of its window';
    expect(inWindow([2, 2, undefined, 2, 2])).toEqual({ check: 'replicas', held: false, reason });
    const early = viewOf({ writes: operations(10, () => 1, 1) });
    expect(readBefore([checkOf({ measure: WRITE_LATENCY })], FIRST_SECOND + 4, early)).toEqual([
      { check: 'lag', held: false, reason },
    ]);
  });

  it('concerns those that the probe sees each second, and that nothing is injected without', () => {
    const loss: Measure = { kind: 'PROBE', name: 'lostAcknowledgedWrites' };
    expect([LAG, loss, WRITE_LATENCY, REPLICAS].map((measure) => isProbed({ measure }))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    const of = (when: Check['when']) => checkOf({ name: when, measure: WRITE_LATENCY, when });
    const all = (['BEFORE', 'THROUGHOUT', 'AFTER_FAULT', 'AFTER_ROLLBACK', 'HAPPENS', 'STEADY'] as const).map(of);
    expect(probedBefore([...all, checkOf()]).map(({ name }) => name)).toEqual(['BEFORE', 'THROUGHOUT', 'STEADY']);
  });
});

describe('everything that the probe saw of its checks', () => {
  it('has the seconds from the first operation until before the last one', () => {
    const observed = observeAll([checkOf({ measure: WRITE_LATENCY }), checkOf()], viewOf());
    expect(observed).toEqual({
      fromSecond: FIRST_SECOND,
      series: [{ check: 'lag', values: [null, null, null, null, 1, 1, 1, 1, 1] }],
    });
    expect(observeAll([checkOf()], viewOf())).toBeUndefined();
    expect(observeAll([checkOf({ measure: WRITE_LATENCY })], viewOf({ writes: [] }))).toBeUndefined();
  });

  it('fits into one entry for the longest run with the most checks', () => {
    const seconds = FUNCTION_SECONDS.probe;
    const checks = Array.from({ length: MAX_CHECKS }, (_, index) =>
      checkOf({ name: `${index}`.padEnd(60, 'x'), measure: WRITE_LATENCY }),
    );
    const writes = operations(seconds, (index) => 10_000 + index / 17);
    const observed = observeAll(checks, viewOf({ writes, nowMs: 1000 * seconds }));
    expect(observed?.series[0]?.values.length).toBe(seconds - 1);
    expect(bytesOf(observed)).toBeLessThan(MAX_ENTRY_BYTES);
    expect(bytesOf(observed)).toBeGreaterThan(MAX_ENTRY_BYTES / 3);
  });
});

describe('how a check stands', () => {
  it.each<[(number | undefined)[], string, number?]>([
    [[1, 2], 'HOLDS', 2],
    [[1, 60, 70], 'FAILS', 70],
    [[undefined, 60], 'FAILS', 60],
    [[undefined, 1], 'UNKNOWN', 1],
    [[undefined], 'UNKNOWN'],
    [[], 'UNKNOWN'],
  ])('with %j is %s: the worst decides, and what nobody knows does not hold', (values, state, value) => {
    expect(standing({ atMost: 50, unit: 'ms' }, values)).toEqual({ state, ...(value === undefined ? {} : { value }) });
  });
});
