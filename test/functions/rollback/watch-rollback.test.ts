import { describe, expect, it } from 'vitest';
import type { RawReading } from '../../../functions/domain/guardrails.ts';
import { LOOK_BACK_SECONDS } from '../../../functions/domain/timing.ts';
import { watchRollback } from '../../../functions/rollback/watch-rollback.ts';
import { EPOCH_MS, fullRun, iso, type RunChanges } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { fakeTelemetry, WELL } from '../guard/fake-telemetry.ts';
import { named } from '../guard/fixtures.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

/** Of a run whose guard stopped at 63 s and whose store was healthy at 70 s. */
const RECOVERED_SECOND = 70;

interface World {
  /** Seconds of the run at which the gateways answer errors, `[from, to)`. */
  errors?: [number, number];
  /** Seconds at which Prometheus scraped nothing. */
  blind?: [number, number];
  /** Every query fails before that second. */
  downUntil?: number;
  changes?: RunChanges;
  scrapesAgain?: boolean;
}

async function watched({
  errors = [0, 0],
  blind = [0, 0],
  downUntil = 0,
  changes = {},
  scrapesAgain = true,
}: World = {}) {
  const clock = new SimulatedClock(EPOCH_MS + RECOVERED_SECOND * 1000);
  const isIn = ([from, to]: [number, number], second: number) => second >= from && second < to;
  const values = { ...WELL };
  const well = fakeTelemetry(values);
  const asked: { from: number; to: number }[] = [];
  const telemetry = {
    async history(source: { query: string; freshness: string }, fromMs: number, toMs: number) {
      const nowSecond = (clock.nowEpochMs() - EPOCH_MS) / 1000;
      if (nowSecond < downUntil) throw new Error('connection refused');
      const [from, to] = [fromMs, toMs].map((ms) => Math.floor((ms - EPOCH_MS) / 1000)) as [number, number];
      asked.push({ from, to });
      const readings = new Map<number, RawReading>();
      for (let second = from; second <= to; second++) {
        values.errorRatePct = isIn(errors, second) ? 3 : 0;
        const { value } = await well.read(source);
        const newest = isIn(blind, second) ? blind[0] : second - 0.4;
        const scraped = scrapesAgain ? newest : Math.min(newest, RECOVERED_SECOND - 0.4);
        readings.set(EPOCH_MS + second * 1000, { value, ageSeconds: second - scraped });
      }
      return readings;
    },
  };
  const entries = fullRun({ ROLLBACK_WATCHED: undefined, PROBE_MEASURED: undefined, ...changes });
  const audit = memoryAuditLog({ entries, clock });
  const { experimentId = '' } = entries[0] ?? {};
  await watchRollback(experimentId, [{ ...named, telemetry }], { audit, clock });
  const [watch, ...others] = audit.detailsOf('ROLLBACK_WATCHED');
  expect(others).toEqual([]);
  return { watch, asked, tookSeconds: clock.monotonicMs() / 1000 };
}

describe('the watch over rollback and recovery', () => {
  it('begins where the guard has stopped, and ends with a scrape after the recovery', async () => {
    const { watch, tookSeconds } = await watched();
    expect(watch).toEqual({ from: iso(63), until: iso(71), breaches: [], unseen: [] });
    expect(tookSeconds).toBe(1);
  });

  it('finds a guardrail that was crossed while the fault was being lifted', async () => {
    const { watch } = await watched({ errors: [65, 67] });
    expect(watch?.breaches).toMatchObject([
      { guardrail: 'errorRatePct', cluster: 'redis-master', value: 3, firstAt: iso(65), lastAt: iso(66) },
    ]);
    expect(watch?.unseen).toEqual([]);
  });

  it('sees again the time in which the guard released the lease before it wrote, and none before', async () => {
    const { asked } = await watched({ changes: { GUARD_STOPPED: { reason: 'ABORT' } } });
    expect(asked[0]).toEqual({ from: 60, to: 70 });
    expect((await watched({ errors: [62, 63] })).watch?.breaches).toEqual([]);
  });

  it('looks back to the injection when the guard left no word', async () => {
    expect((await watched({ changes: { GUARD_STOPPED: undefined } })).asked[0]?.from).toBe(2);
  });

  it('says for how long nothing was seen', async () => {
    const { watch } = await watched({ blind: [60, 69] });
    expect(watch?.unseen).toHaveLength(5);
    expect(watch?.unseen[0]).toMatch(/^redis-master errorRatePct: 5 of 9 s, .*newest sample is 4.0 s old, at most 3 s/);
    expect(watch?.breaches).toEqual([]);
  });

  it('waits for telemetry that is away, and says so when it stays away', async () => {
    expect((await watched({ downUntil: RECOVERED_SECOND + 20 })).watch).toMatchObject({ unseen: [], breaches: [] });
    const { watch, tookSeconds } = await watched({ downUntil: Number.POSITIVE_INFINITY });
    expect(watch?.unseen[0]).toMatch(/could not be read: connection refused/);
    expect(tookSeconds).toBeLessThanOrEqual(LOOK_BACK_SECONDS);
  });

  it('says so when no scrape followed the recovery', async () => {
    const { watch, tookSeconds } = await watched({ scrapesAgain: false });
    expect(watch?.unseen[0]).toMatch(/newest sample is 3.4 s old/);
    expect(tookSeconds).toBeLessThanOrEqual(LOOK_BACK_SECONDS);
  });

  it('writes nothing where nothing was injected, or after the verdict', async () => {
    expect((await watched({ changes: { INJECTING: undefined, INJECTED: undefined } })).watch).toBeUndefined();
    expect((await watched({ changes: { CONCLUDED: {} } })).watch).toBeUndefined();
  });

  it('takes no guardrail for held whose baseline is not known', async () => {
    const { watch } = await watched({ changes: { STEADY_STATE_CONFIRMED: undefined } });
    expect(watch?.unseen).toHaveLength(2);
    expect(watch?.unseen[0]).toMatch(/liveGateways: .* has no finite limit/);
  });
});
