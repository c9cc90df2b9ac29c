import { describe, expect, it } from 'vitest';
import type { RawReading } from '../../../functions/domain/guardrails.ts';
import type { Check } from '../../../functions/domain/hypothesis.ts';
import { LOOK_BACK_SECONDS, LOOK_ON_SECONDS, maxAgeSecondsOf } from '../../../functions/domain/timing.ts';
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
/** A sample of before the fault is looked for as long as it may be old. */
const FROM = ANNOUNCED - maxAgeSecondsOf(1);

interface World {
  checks?: Check[];
  /** What Prometheus has of a second, a scrape's age aside. */
  at?: (second: number) => RawReading;
  /** Seconds from one scrape to the next. */
  every?: number;
  fails?: boolean;
  concluded?: boolean;
  alertProblem?: string;
  /** How often Prometheus answers; absent: always. */
  answers?: number;
}

async function observed({
  checks = [checkOf()],
  at = () => ({ value: 20 }),
  every = 1,
  fails = false,
  concluded = false,
  alertProblem,
  answers = Number.POSITIVE_INFINITY,
}: World = {}) {
  const clock = new SimulatedClock(EPOCH_MS + RECOVERED * 1000);
  let answered = 0;
  const telemetry = {
    alertProblem: async () => alertProblem,
    async history(_source: unknown, fromMs: number, toMs: number) {
      answered += 1;
      if (fails || answered > answers) throw new Error('connection refused');
      const [from, to] = [fromMs, toMs].map((ms) => Math.floor((ms - EPOCH_MS) / 1000)) as [number, number];
      const readings = new Map<number, RawReading>();
      for (let second = from; second <= to; second++) {
        const scraped = Math.floor(second / every) * every;
        const { ageSeconds = 0, ...raw } = at(scraped);
        readings.set(EPOCH_MS + second * 1000, { ageSeconds: second - scraped + ageSeconds, ...raw });
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
  it('are read back at each second, from before the fault until some time after the recovery', async () => {
    const { found, tookSeconds } = await observed({ at: (second) => ({ value: second === 9 ? 300 : 20 }) });
    const [only, ...others] = found;
    expect(others).toEqual([]);
    expect(only?.fromSecond).toBe(EPOCH_MS / 1000 + FROM);
    expect(only).not.toHaveProperty('probed');
    expect(only?.series[0]?.values.length).toBeGreaterThanOrEqual(UNTIL - FROM + 1);
    expect(only?.series[0]?.values[9 - FROM]).toBe(300);
    expect(only?.series[0]?.gapSeconds).toBe(maxAgeSecondsOf(1));
    expect(tookSeconds).toBeGreaterThanOrEqual(LOOK_ON_SECONDS);
    expect(tookSeconds).toBeLessThan(LOOK_ON_SECONDS + 3);
  });

  it('have no sample in a second of which there is no number, or several', async () => {
    const at = (second: number): RawReading => {
      if (second === 10) return { value: Number.NaN };
      return second === 30 ? { value: 20, problem: 'the query gives several series' } : { value: 20 };
    };
    const [only] = (await observed({ at })).found;
    const unknown = (only?.series[0]?.values ?? []).flatMap((value, index) => (value === null ? [index + FROM] : []));
    expect(unknown).toEqual([10, 30]);
    expect(only?.series[0]?.problem).toBe('the query gives several series');
  });

  it('of a source that is scraped rarely count for the seconds of its scrapes alone', async () => {
    const measure = { ...checkOf().measure, scrapeIntervalSeconds: 15 } as Check['measure'];
    const [only] = (await observed({ checks: [checkOf({ measure })], every: 15 })).found;
    const from = ANNOUNCED - maxAgeSecondsOf(15);
    const scraped = (only?.series[0]?.values ?? []).flatMap((value, index) => (value === null ? [] : [index + from]));
    expect(scraped).toEqual([-15, 0, 15, 30, 45, 60, 75, 90]);
  });

  it('are looked at for as long as a range of theirs holds what was before', async () => {
    const measure = { ...checkOf().measure, query: 'sum(rate(lag_ms[30s]))' } as Check['measure'];
    const late = await observed({ checks: [checkOf({ measure, when: 'STEADY' })] });
    expect(late.tookSeconds).toBeGreaterThanOrEqual(30);
    const throughout = await observed({ checks: [checkOf({ measure })] });
    expect(throughout.tookSeconds).toBeLessThan(LOOK_ON_SECONDS + 3);
  });

  it('that are alerts are unknown when their rule stands still at the end', async () => {
    const alert = checkOf({ measure: { kind: 'ALERT', alert: 'Failover' }, tolerance: { atMost: 0, unit: 'alerts' } });
    const alertProblem = 'the rule Failover was evaluated 70.0 s ago, it should be every 1 s';
    const { found, tookSeconds } = await observed({ checks: [alert], alertProblem });
    expect(found[0]?.series[0]).toMatchObject({ values: [], problem: alertProblem });
    expect(tookSeconds).toBe(LOOK_ON_SECONDS);
  });

  it('keep what was read when Prometheus does not answer any more', async () => {
    const measure = { ...checkOf().measure, scrapeIntervalSeconds: 15 } as Check['measure'];
    const [only] = (await observed({ checks: [checkOf({ measure })], every: 15, answers: 1 })).found;
    expect(only?.series[0]?.values).toContain(20);
  });

  it('are not told before a scrape that came after the last of these seconds', async () => {
    const measure = { ...checkOf().measure, scrapeIntervalSeconds: 15 } as Check['measure'];
    const { tookSeconds } = await observed({ checks: [checkOf({ measure })], every: 15 });
    const nextScrape = Math.ceil(UNTIL / 15) * 15;
    expect(tookSeconds).toBeGreaterThanOrEqual(nextScrape - RECOVERED);
  });

  it('are unknown, and hold nobody up for longer than a scrape may take, when Prometheus does not answer', async () => {
    const { found, tookSeconds } = await observed({ fails: true });
    expect(found[0]?.series).toEqual([
      { check: 'lag', values: [], gapSeconds: maxAgeSecondsOf(1), problem: 'connection refused' },
    ]);
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
