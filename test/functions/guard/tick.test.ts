import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTickIntervalMs as next, samplesOf } from '../../../functions/guard/tick.ts';
import { redisCluster } from '../domain/configuration-fixtures.ts';
import { reading } from '../domain/fixtures.ts';

const nextTickIntervalMs = (ageSeconds?: number, scrapeIntervalSeconds = 1) =>
  next([{ ...(ageSeconds === undefined ? {} : { ageSeconds }), scrapeIntervalSeconds }]);

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

  it('beats on each second between scrapes that are further apart, and follows them when they are due', () => {
    expect(nextTickIntervalMs(3, 15)).toBe(1000);
    expect(nextTickIntervalMs(14.5, 15)).toBeCloseTo(550);
  });

  it('follows the source whose next scrape comes first, and hurries for one of which nothing is known', () => {
    const rare = { ageSeconds: 20, scrapeIntervalSeconds: 30 };
    expect(next([rare, { ageSeconds: 0.4, scrapeIntervalSeconds: 1 }])).toBeCloseTo(650);
    expect(next([rare, { scrapeIntervalSeconds: 1 }])).toBe(200);
    expect(next([])).toBe(200);
  });

  it('knows how often the source of each reading is scraped', () => {
    const control = { control: 'up', freshness: 'up', query: 'up', unit: '', limit: 1, breachWhen: 'below' };
    const telemetry = { prometheusUrl: 'http://prometheus.example', scrapeIntervalSeconds: 5 };
    const lag = { kind: 'PROMQL', scrapeIntervalSeconds: 30, ...control };
    const cluster = redisCluster({ telemetry, guardrails: { lag } });
    const samples = samplesOf(
      [{ name: 'redis-master', cluster }],
      ['errorRatePct', 'lag', 'requestRate'].map((guardrail) => reading(guardrail, { ageSeconds: 2 })),
    );
    expect(samples.map(({ scrapeIntervalSeconds }) => scrapeIntervalSeconds)).toEqual([5, 30, 5]);
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
