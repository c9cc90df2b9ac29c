import { describe, expect, it } from 'vitest';
import type { RawReading } from '../../../functions/domain/guardrails.ts';
import type { Check } from '../../../functions/domain/hypothesis.ts';
import { LOOK_BACK_SECONDS, LOOK_ON_SECONDS } from '../../../functions/domain/timing.ts';
import { observeChecks } from '../../../functions/rollback/observe-checks.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { EPOCH_MS, fullRun } from '../domain/fixtures.ts';
import { checkOf, hypothesisOf, WRITE_LATENCY } from '../domain/hypothesis-fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { named } from '../guard/fixtures.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

/** Of `fullRun`: the fault is announced, the store is healthy. */
const [ANNOUNCED, RECOVERED] = [2, 70];
const UNTIL = RECOVERED + LOOK_ON_SECONDS;

interface World {
  checks?: Check[];
  /** What Prometheus has of a second, a scrape's age aside. */
  at?: (second: number) => RawReading;
  /** Seconds from one scrape to the next. */
  every?: number;
  fails?: boolean;
  concluded?: boolean;
}

async function observed({
  checks = [checkOf()],
  at = () => ({ value: 20 }),
  every = 1,
  fails = false,
  concluded = false,
}: World = {}) {
  const clock = new SimulatedClock(EPOCH_MS + RECOVERED * 1000);
  const telemetry = {
    async history(_source: unknown, fromMs: number, toMs: number) {
      if (fails) throw new Error('connection refused');
      const [from, to] = [fromMs, toMs].map((ms) => Math.floor((ms - EPOCH_MS) / 1000)) as [number, number];
      const readings = new Map<number, RawReading>();
      for (let second = from; second <= to; second++) {
        const scraped = Math.floor(second / every) * every;
        readings.set(EPOCH_MS + second * 1000, { ageSeconds: second - scraped, ...at(scraped) });
      }
      return readings;
    },
  };
  const experiment = { ...seedExperiment(), ...(checks.length > 0 ? { hypothesis: hypothesisOf(...checks) } : {}) };
  const changes = { ADMITTED: { experiment }, ...(concluded ? { CONCLUDED: {} } : {}) };
  const audit = memoryAuditLog({ entries: fullRun(changes), clock });
  await observeChecks(experiment.experimentId, [{ ...named, telemetry }], { audit, clock });
  return { found: audit.detailsOf('CHECKS_OBSERVED'), tookSeconds: clock.monotonicMs() / 1000 };
}

describe('the checks that are in Prometheus', () => {
  it('are read back at each second from the fault until some time after the recovery', async () => {
    const { found, tookSeconds } = await observed({ at: (second) => ({ value: second === 9 ? 300 : 20 }) });
    const [only, ...others] = found;
    expect(others).toEqual([]);
    expect(only?.fromSecond).toBe(EPOCH_MS / 1000 + ANNOUNCED);
    expect(only).not.toHaveProperty('probed');
    expect(only?.series[0]?.values).toHaveLength(UNTIL - ANNOUNCED + 1);
    expect(only?.series[0]?.values[9 - ANNOUNCED]).toBe(300);
    expect(tookSeconds).toBeGreaterThanOrEqual(LOOK_ON_SECONDS);
    expect(tookSeconds).toBeLessThan(LOOK_ON_SECONDS + 3);
  });

  it('are unknown at a second of which there is no number, an old one, or several', async () => {
    const at = (second: number): RawReading => {
      if (second === 10) return { value: Number.NaN };
      if (second === 20) return { value: 20, ageSeconds: 9 };
      return second === 30 ? { value: 20, problem: 'the query gives several series' } : { value: 20 };
    };
    const [only] = (await observed({ at })).found;
    const unknown = (only?.series[0]?.values ?? []).flatMap((value, index) =>
      value === null ? [index + ANNOUNCED] : [],
    );
    expect(unknown).toEqual([10, 20, 30]);
    expect(only?.series[0]?.problem).toBe('the query gives several series');
  });

  it('are not told before a scrape that came after the last of these seconds', async () => {
    const measure = { ...checkOf().measure, scrapeIntervalSeconds: 15 } as Check['measure'];
    const { tookSeconds } = await observed({ checks: [checkOf({ measure })], every: 15 });
    const nextScrape = Math.ceil(UNTIL / 15) * 15;
    expect(tookSeconds).toBeGreaterThanOrEqual(nextScrape - RECOVERED);
  });

  it('are unknown, and hold nobody up for longer than a scrape may take, when Prometheus does not answer', async () => {
    const { found, tookSeconds } = await observed({ fails: true });
    expect(found[0]?.series).toEqual([{ check: 'lag', values: [], problem: 'connection refused' }]);
    expect(tookSeconds).toBeLessThanOrEqual(LOOK_ON_SECONDS + LOOK_BACK_SECONDS);
  });

  it.each<[string, World]>([
    ['there are none', { checks: [] }],
    ['the probe has them all', { checks: [checkOf({ measure: WRITE_LATENCY })] }],
    ['they are on another cluster', { checks: [checkOf({ cluster: 'other' })] }],
    ['the verdict has been given', { concluded: true }],
  ])('take no time when %s', async (_what, world) => {
    expect(await observed(world)).toEqual({ found: [], tookSeconds: 0 });
  });
});
