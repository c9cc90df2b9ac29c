import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_LATENCY_MS } from '../../../functions/domain/measures.ts';
import {
  dueIn,
  latencyMs,
  latencySummary,
  openLoop,
  quantileOf,
  type TimedOperation,
} from '../../../functions/domain/open-loop.ts';
import { SimulatedClock } from './simulated-clock.ts';

/** Due every 50 ms; `F` fails, `.` succeeds; each takes as many milliseconds as its number. */
const operations = (text: string): TimedOperation[] =>
  [...text].map((mark, index) => ({ dueMs: 50 * index, endedMs: 51 * index, ok: mark === '.' }));

describe('an open loop', () => {
  it('starts as many operations as were due, each due at its time, whatever pauses there were', async () => {
    const pauses = fc.array(
      fc.record({ after: fc.integer({ min: 1, max: 40 }), ms: fc.integer({ min: 1, max: 3000 }) }),
      {
        maxLength: 5,
      },
    );
    await fc.assert(
      fc.asyncProperty(pauses, async (paused) => {
        const clock = new SimulatedClock();
        const stop = new AbortController();
        const due: number[] = [];
        const late: number[] = [];
        void clock.sleep(5025).then(() => stop.abort());
        await openLoop(50, { clock, stop: stop.signal }, (number, dueMs) => {
          due.push(dueMs);
          late.push(clock.monotonicMs() - dueMs);
          for (const { after, ms } of paused) if (after === number) clock.advance(ms);
        });
        const endedMs = clock.monotonicMs();
        expect(due).toEqual(due.map((_, index) => 50 * index));
        expect(due).toHaveLength(Math.max(101, Math.ceil((due.at(-1) ?? 0) / 50) + 1));
        expect((due.at(-1) ?? 0) + 50 + Math.max(...late)).toBeGreaterThanOrEqual(Math.min(endedMs, 5000));
        expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 50 },
    );
  });

  it('counts the time that an operation had to wait for its turn as latency of that operation', async () => {
    const clock = new SimulatedClock();
    const stop = new AbortController();
    const latencies: number[] = [];
    void clock.sleep(500).then(() => stop.abort());
    await openLoop(50, { clock, stop: stop.signal }, (number, dueMs) => {
      latencies.push(latencyMs({ dueMs, endedMs: clock.monotonicMs() + 1, ok: true }));
      if (number === 3) clock.advance(120);
    });
    expect(latencies.slice(0, 7)).toEqual([1, 1, 1, 71, 21, 1, 1]);
  });

  it('never takes an operation for quicker than it was because a timer fired early', async () => {
    class EarlyClock extends SimulatedClock {
      override sleep(milliseconds: number): Promise<void> {
        return super.sleep(milliseconds - 0.4);
      }
    }
    const clock = new EarlyClock();
    const stop = new AbortController();
    const early: number[] = [];
    await openLoop(50, { clock, stop: stop.signal }, (number, dueMs) => {
      early.push(dueMs - clock.monotonicMs());
      if (number === 20) stop.abort();
    });
    expect(early).toHaveLength(20);
    expect(Math.max(...early)).toBeLessThanOrEqual(0);
  });
});

describe('a latency', () => {
  it('is the longest there is for an operation that failed, however quickly', () => {
    expect(latencyMs({ dueMs: 0, endedMs: 3, ok: false })).toBe(MAX_LATENCY_MS);
  });

  it('of an operation that is under way is at least what has passed, and never more than the longest', () => {
    expect(latencyMs({ dueMs: 100, ok: false }, 350)).toBe(250);
    expect(latencyMs({ dueMs: 0, ok: false }, 1e9)).toBe(MAX_LATENCY_MS);
  });

  it('quantile is one of the values, with at least its share of them not above it, and no smaller value would do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: MAX_LATENCY_MS, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 999 }).map((permille) => permille / 1000),
        (values, quantile) => {
          const ascending = values.toSorted((a, b) => a - b);
          const found = quantileOf(ascending, quantile) ?? Number.NaN;
          expect(values).toContain(found);
          const share = (most: (value: number) => boolean) => values.filter(most).length / values.length;
          expect(share((value) => value <= found)).toBeGreaterThanOrEqual(quantile - 1e-9);
          expect(share((value) => value < found)).toBeLessThan(quantile);
        },
      ),
    );
  });

  it('quantile is exact where the product of share and number is a little more than whole', () => {
    expect(0.07 * 100).toBeGreaterThan(7);
    expect(
      quantileOf(
        Array.from({ length: 100 }, (_, index) => index + 1),
        0.07,
      ),
    ).toBe(7);
  });

  it('quantile of nothing is not known', () => {
    expect(quantileOf([], 0.99)).toBeUndefined();
  });

  it('summary has failed operations in every quantile, counts only what was due from then on, and is absent without any', () => {
    const seen = operations(`FF${'.'.repeat(96)}FF`);
    expect(latencySummary(seen, 100)).toEqual({ count: 98, p50: 50, p90: 90, p99: 60_000, max: 60_000, failed: 2 });
    expect(latencySummary(seen, 5000)).toBeUndefined();
    expect(latencySummary(operations('.'.repeat(100)), -Infinity)).toMatchObject({
      p50: 49,
      p99: 98,
      max: 99,
      failed: 0,
    });
  });

  it('window has the operations that were due in it, by any times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100 })),
        fc.integer({ min: -5, max: 105 }),
        fc.integer({ min: -5, max: 105 }),
        (times, one, other) => {
          const [fromMs, toMs] = [Math.min(one, other), Math.max(one, other)];
          const all = times.toSorted((a, b) => a - b).map((dueMs) => ({ dueMs }));
          expect(dueIn(all, fromMs, toMs)).toEqual(all.filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs));
        },
      ),
    );
  });
});
