import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { worstCase } from '../../../functions/admission/worst-case.ts';
import {
  HEARTBEAT_BOUND_SECONDS,
  HOST,
  LEASE_GRACE_SECONDS,
  MAX_CLOCK_DIFFERENCE_MS,
  maxAgeSecondsOf,
  PATIENCE,
  QUERY_TIMEOUT_MS,
  RULE_EVALUATION_SECONDS,
  SCRAPE_INTERVAL_SECONDS,
  STORE_LOOK,
  TTL_SECONDS,
} from '../../../functions/domain/timing.ts';
import { guard } from '../../../functions/guard/guard.ts';
import type { Telemetry } from '../../../functions/telemetry/prometheus.ts';
import { redisCluster } from '../domain/configuration-fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { fakeTelemetry, WELL } from '../guard/fake-telemetry.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const total = (terms: { seconds: number }[]) => terms.reduce((sum, { seconds }) => sum + seconds, 0);
const graces = fc.integer(LEASE_GRACE_SECONDS);
const scrapeIntervals = fc.integer(SCRAPE_INTERVAL_SECONDS);
const durations = fc.integer(TTL_SECONDS);

const DEFAULTS = redisCluster();
/** The cluster whose telemetry, or one guardrail of its own, is scraped so often. */
function scrapedEvery(scrapeIntervalSeconds: number, of: 'telemetry' | 'guardrail' = 'telemetry') {
  const { telemetry } = DEFAULTS;
  if (of === 'telemetry') return { ...DEFAULTS, telemetry: { ...telemetry, scrapeIntervalSeconds } };
  const own = { query: 'lag', freshness: 'lag', control: 'lag', limit: 1, breachWhen: 'above', unit: 's' };
  return redisCluster({ guardrails: { lag: { kind: 'PROMQL', scrapeIntervalSeconds, ...own } } });
}
const abortSeconds = (cluster: typeof DEFAULTS, grace: number) => worstCase(cluster, grace, 60, []).abortSeconds;

describe('the worst case', () => {
  it('is the sum of its terms, each of which has a name and takes its time', () => {
    fc.assert(
      fc.property(graces, scrapeIntervals, durations, (grace, interval, duration) => {
        const worst = worstCase(scrapedEvery(interval), grace, duration, []);
        expect(worst.abortSeconds).toBeCloseTo(total(worst.abortTerms));
        for (const { step, seconds } of worst.abortTerms) {
          expect(step).toMatch(/\S/);
          expect(seconds).toBeGreaterThan(0);
          expect(worst.abortSeconds).toBeGreaterThanOrEqual(seconds);
        }
        expect(worst.abortSeconds).toBeGreaterThanOrEqual(worst.leaseLossSeconds);
        expect(worst).toMatchObject({ ttlSeconds: duration, fenceSeconds: HOST.fenceSeconds });
      }),
    );
  });

  it.each([
    ['the query of telemetry', /telemetry is/, QUERY_TIMEOUT_MS / 1000, 2],
    ['the difference of the clocks', /clocks may differ/, MAX_CLOCK_DIFFERENCE_MS / 1000, 1],
    ['the read of the kill switch', /kill switch/, PATIENCE.beat.withinMs / 1000, 1],
    ['the renewal of the lease', /renewal/, PATIENCE.beat.withinMs / 1000, 1],
    ['the release of the lease', /release/, PATIENCE.lease.withinMs / 1000, 1],
    ['the wait for the poll of the host', /next poll/, HOST.pollSeconds, 1],
    ['the poll itself', /poll is given up/, HOST.pollTimeoutSeconds, 1],
    ['the removal of the fault', /host removes the fault/, HOST.revertSeconds, 1],
  ])('grows with %s, as often as it stands between a breach and the lifted fault', (_what, step, bound, times) => {
    const { abortTerms } = worstCase(DEFAULTS, LEASE_GRACE_SECONDS.default, 60, []);
    expect(abortTerms.filter((term) => step.test(term.step)).map(({ seconds }) => seconds)).toEqual(
      Array(times).fill(bound),
    );
  });

  it('grows with the scrape interval of the telemetry or of any one guardrail, by as much as a reading may be older', () => {
    const sources = fc.constantFrom('telemetry' as const, 'guardrail' as const);
    fc.assert(
      fc.property(graces, scrapeIntervals, sources, (grace, interval, of) => {
        const older = maxAgeSecondsOf(interval) - maxAgeSecondsOf(SCRAPE_INTERVAL_SECONDS.default);
        expect(abortSeconds(scrapedEvery(interval, of), grace) - abortSeconds(DEFAULTS, grace)).toBeCloseTo(older);
      }),
    );
    const [age] = worstCase(scrapedEvery(15), LEASE_GRACE_SECONDS.default, 60, []).abortTerms;
    expect(age).toEqual({ step: expect.stringContaining('counts as blind'), seconds: 31 });
  });

  it('counts from the oldest answer of a store that is asked too, unless the telemetry may be older', () => {
    const wait = (interval: number, asksStore: boolean) =>
      worstCase(scrapedEvery(interval), LEASE_GRACE_SECONDS.default, 60, [], asksStore);
    const [often, asked] = [wait(1, false), wait(1, true)];
    const telemetrySeconds = maxAgeSecondsOf(1) + MAX_CLOCK_DIFFERENCE_MS / 1000;
    expect(asked.abortSeconds - often.abortSeconds).toBeCloseTo(STORE_LOOK.maxAgeSeconds - telemetrySeconds);
    expect(asked.abortTerms[0]).toEqual({
      step: 'the answer of the store may be this old before it counts as blind',
      seconds: STORE_LOOK.maxAgeSeconds,
    });
    expect(asked.abortSeconds).toBeCloseTo(total(asked.abortTerms));
    expect(wait(15, true)).toEqual(wait(15, false));
  });

  it('never shrinks with a longer grace, and grows second for second where the silence of the guard takes longest', () => {
    fc.assert(
      fc.property(graces, scrapeIntervals, (grace, interval) => {
        const longer = worstCase(scrapedEvery(interval), grace + 1, 60, []);
        const before = worstCase(scrapedEvery(interval), grace, 60, []);
        expect(longer.abortSeconds).toBeGreaterThanOrEqual(before.abortSeconds);
        expect(longer.leaseLossSeconds - before.leaseLossSeconds).toBeCloseTo(1);
        expect(before.leaseLossSeconds).toBeCloseTo(grace + HOST.pollSeconds + HOST.revertSeconds);
        if (before.abortTerms.some(({ step }) => step.startsWith('no beat follows')))
          expect(longer.abortSeconds - before.abortSeconds).toBeCloseTo(1);
      }),
    );
    const silence = worstCase(DEFAULTS, LEASE_GRACE_SECONDS.max, 60, []);
    expect(total(silence.abortTerms.slice(-2))).toBeCloseTo(silence.leaseLossSeconds);
    expect(silence.abortTerms.at(-1)).toEqual({
      step: 'the host removes the fault within',
      seconds: HOST.revertSeconds,
    });
  });

  it('holds for the guard itself, however long each of its calls takes and whenever the breach comes', async () => {
    const call = (mostMs: number) => fc.integer({ min: 0, max: mostMs });
    const calls = fc.record({
      queryMs: call(QUERY_TIMEOUT_MS),
      killSwitchMs: call(PATIENCE.beat.withinMs),
      renewalMs: call(PATIENCE.beat.withinMs),
      releaseMs: call(PATIENCE.lease.withinMs),
      breachAtMs: fc.integer({ min: 0, max: 10_000 }),
    });
    const slowest = {
      ...{ queryMs: QUERY_TIMEOUT_MS, killSwitchMs: PATIENCE.beat.withinMs, renewalMs: PATIENCE.beat.withinMs },
      ...{ releaseMs: PATIENCE.lease.withinMs, breachAtMs: 1 },
    };
    // Silence lasts longest with the longest grace; then the release is not in the sum.
    const [byRelease, bySilence] = [LEASE_GRACE_SECONDS.min, LEASE_GRACE_SECONDS.max].map((grace) =>
      worstCase(DEFAULTS, grace, 60, []),
    );
    const readingsMs = maxAgeSecondsOf(SCRAPE_INTERVAL_SECONDS.default) * 1000 + MAX_CLOCK_DIFFERENCE_MS;
    const property = fc.asyncProperty(calls, async (durationsMs) => {
      const { releasedMs, lastBeatMs } = await guardUnderBreach(durationsMs);
      const hostMs = (HOST.pollSeconds + HOST.pollTimeoutSeconds + HOST.revertSeconds) * 1000;
      const breachMs = durationsMs.breachAtMs - readingsMs;
      expect(releasedMs + hostMs - breachMs).toBeLessThanOrEqual((byRelease?.abortSeconds ?? 0) * 1000 + 0.1);
      const lostMs = (bySilence?.leaseLossSeconds ?? 0) * 1000;
      expect(lastBeatMs + lostMs - breachMs).toBeLessThanOrEqual((bySilence?.abortSeconds ?? 0) * 1000 + 0.1);
    });
    await fc.assert(property, { numRuns: 50, examples: [[slowest]] });
  });

  it('says what bounds a fault in the service, which does not read the lease', () => {
    const stop = { faultId: 'exp.1', kind: 'INSTANCE_STOP', action: { boundSeconds: 120 } };
    const reboot = { faultId: 'exp.2', kind: 'INSTANCE_REBOOT', action: {} };
    const { service } = worstCase(DEFAULTS, 3, 60, [stop, reboot]);
    expect(service?.withoutGuardSeconds).toBe(HEARTBEAT_BOUND_SECONDS);
    expect(total(service?.withoutGuardTerms ?? [])).toBe(service?.withoutGuardSeconds);
    expect(service?.bounds).toEqual([
      { faultId: 'exp.1', kind: 'INSTANCE_STOP', seconds: 120 },
      { faultId: 'exp.2', kind: 'INSTANCE_REBOOT', seconds: null },
    ]);
    expect(worstCase(DEFAULTS, 3, 60, [])).not.toHaveProperty('service');
  });
});

interface Calls {
  queryMs: number;
  killSwitchMs: number;
  renewalMs: number;
  releaseMs: number;
  breachAtMs: number;
}

/** A guard whose calls take so long, while a guardrail is breached from that time on. */
async function guardUnderBreach({ queryMs, killSwitchMs, renewalMs, releaseMs, breachAtMs }: Calls) {
  const clock = new SimulatedClock();
  const lease = leaseOf();
  let [lastBeatMs, releasedMs] = [0, 0];
  const values = { ...WELL };
  const well = fakeTelemetry(values);
  const telemetry: Telemetry = {
    ...well,
    async read(source) {
      // What Prometheus had when it was asked.
      values.errorRatePct = clock.monotonicMs() >= breachAtMs ? 100 : 0;
      const seen = await well.read(source);
      await clock.sleep(queryMs);
      return seen;
    },
  };
  const watched = { name: 'redis-master', cluster: DEFAULTS, baseline: { liveGateways: 1, requestsPerSecond: 1 } };
  const guarded = guard(
    { experimentId: 'exp', clusters: [{ ...watched, telemetry }], hasFisFaults: false },
    {
      clock,
      audit: memoryAuditLog(),
      remainingMs: () => Number.POSITIVE_INFINITY,
      switches: {
        async engaged() {
          await clock.sleep(killSwitchMs);
          return undefined;
        },
      },
      leases: {
        read: async () => lease,
        async renew() {
          await clock.sleep(renewalMs);
          lastBeatMs = clock.monotonicMs();
          return lease;
        },
        async release() {
          await clock.sleep(releaseMs);
          releasedMs = clock.monotonicMs();
          return true;
        },
      },
    },
  );
  await expect(guarded).rejects.toMatchObject({ name: 'GuardrailBreached' });
  return { releasedMs, lastBeatMs };
}

describe('where telemetry is in AMP, the worst case', () => {
  const amp = redisCluster({
    telemetry: {
      prometheusUrl: 'https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1',
      auth: { sigV4: { region: 'eu-west-1' } },
    },
  });

  it('says how much later than the guard its alerting rules see a breach, and is otherwise the same', () => {
    const { rules, ...others } = worstCase(amp, LEASE_GRACE_SECONDS.default, 60, []);
    expect(others).toEqual(worstCase(DEFAULTS, LEASE_GRACE_SECONDS.default, 60, []));
    expect(rules?.seconds).toBeCloseTo(total(rules?.terms ?? []));
    expect(rules?.terms.at(-1)).toEqual({ step: expect.stringContaining('AMP'), seconds: RULE_EVALUATION_SECONDS });
    expect(rules?.terms[0]?.seconds).toBe(maxAgeSecondsOf(1));
  });
});
