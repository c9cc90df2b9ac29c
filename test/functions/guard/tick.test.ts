import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTickIntervalMs } from '../../../functions/guard/tick.ts';

describe('the next tick', () => {
  it('comes 50 ms after the next scrape is due', () => {
    expect(nextTickIntervalMs(0.3)).toBeCloseTo(750);
  });

  it('stays within 200 ms and 1 s for any age', () => {
    fc.assert(
      fc.property(fc.option(fc.double(), { nil: undefined }), (age) => {
        const interval = nextTickIntervalMs(age);
        expect(interval).toBeGreaterThanOrEqual(200);
        expect(interval).toBeLessThanOrEqual(1000);
      }),
    );
  });

  it('looks again soon when a scrape is overdue', () => {
    expect(nextTickIntervalMs(1.4)).toBe(200);
  });

  it('sees a scrape of any of two gateways within 300 ms', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (otherPhase) => {
        const lastScrape = (atSeconds: number, phase: number) => Math.floor(atSeconds - 0.02 - phase) + phase;
        let now = 10;
        const ticks: number[] = [];
        for (let count = 0; count < 60; count++) {
          ticks.push(now);
          const oldest = Math.min(lastScrape(now, 0), lastScrape(now, otherPhase));
          now += nextTickIntervalMs(now - oldest) / 1000;
        }
        for (let second = 12; second < 18; second++) {
          for (const landed of [second + 0.02, second + otherPhase + 0.02]) {
            const seen = ticks.find((tick) => tick >= landed) ?? Number.POSITIVE_INFINITY;
            expect(seen - landed).toBeLessThan(0.3);
          }
        }
      }),
    );
  });
});
