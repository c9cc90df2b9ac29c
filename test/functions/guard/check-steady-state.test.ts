import { beforeEach, describe, expect, it } from 'vitest';
import type { Hypothesis } from '../../../functions/domain/hypothesis.ts';
import type { StoreTopology } from '../../../functions/domain/topology.ts';
import { checkSteadyState } from '../../../functions/guard/check-steady-state.ts';
import { readBaseline } from '../../../functions/telemetry/baseline.ts';
import type { Telemetry } from '../../../functions/telemetry/prometheus.ts';
import { redisCluster } from '../domain/configuration-fixtures.ts';
import { checkOf, hypothesisOf } from '../domain/hypothesis-fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { shardOf, topologyOf } from '../domain/target-fixtures.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';
import { fakeTelemetry, type Values, WELL } from './fake-telemetry.ts';

const cluster = redisCluster({ alarms: [{ name: 'orders-5xx', severity: 'CRITICAL' }] });
const healthy = topologyOf([shardOf('shard-1', 'a', 'b')]);
const sick = topologyOf(healthy.shards, { problems: ['Sentinel of b: timeout'] });

/** Of a system that is well but for what is changed. */
const telemetry = ({ samples = 30, ...values }: Values = {}) => fakeTelemetry({ ...WELL, ...values }, { samples });

let audit: ReturnType<typeof memoryAuditLog>;
beforeEach(() => {
  audit = memoryAuditLog();
});
const alarmIs = (state: string) => async () => new Map([['orders-5xx', state]]);
interface Looks {
  topology?: StoreTopology;
  seen?: Telemetry;
  readAlarmStates?: () => Promise<Map<string, string>>;
  clusters?: string[];
  hypothesis?: Hypothesis;
}
const check = ({
  topology = healthy,
  seen = telemetry(),
  readAlarmStates = alarmIs('OK'),
  clusters,
  hypothesis,
}: Looks = {}) =>
  checkSteadyState(
    { experimentId: 'exp', ...(hypothesis ? { hypothesis } : {}) },
    (clusters ?? ['redis-master']).map((name) => ({
      ...{ name, cluster, telemetry: seen },
      readTopology: async () => (name === 'redis-master' ? topology : healthy),
    })),
    { readAlarmStates, audit, clock: new SimulatedClock() },
  );

describe('steady state', () => {
  it('is confirmed with the medians of the past minute', async () => {
    const steady = { p99LatencyMs: 14, liveGateways: 2, requestsPerSecond: 1000 };
    expect(await check()).toMatchObject({ 'redis-master': steady });
    expect(audit.detailsOf('STEADY_STATE_CONFIRMED')).toMatchObject([{ baselines: { 'redis-master': steady } }]);
  });

  it('has a baseline of every cluster, and refuses to start when any of them is not steady', async () => {
    const clusters = ['redis-other', 'redis-master'];
    expect(Object.keys(await check({ clusters }))).toEqual(clusters);
    await expect(check({ clusters, topology: sick })).rejects.toMatchObject({
      name: 'SteadyStateNotMet',
      message: 'redis-master: store: Sentinel of b: timeout',
    });
  });

  it('has what its checks were, and refuses to start when one that must hold before does not', async () => {
    const lag = checkOf({ when: 'BEFORE' });
    await check({ hypothesis: hypothesisOf(lag), seen: telemetry({ 'max(lag_ms)': 20 }) });
    expect(audit.detailsOf('STEADY_STATE_CONFIRMED')).toMatchObject([
      { checks: [{ check: 'lag', value: 20, held: true }] },
    ]);
    await expect(
      check({ hypothesis: hypothesisOf(lag), seen: telemetry({ 'max(lag_ms)': 101 }) }),
    ).rejects.toMatchObject({
      name: 'SteadyStateNotMet',
      message: 'lag: was 101 ms in the 60 s before, it must be at most 100 ms',
    });
  });

  it('refuses to start when a guardrail does not pass', async () => {
    await expect(check({ seen: telemetry({ p99WriteLatencyMs: 250 }) })).rejects.toMatchObject({
      name: 'SteadyStateNotMet',
      message: /250 ms is above 200 ms/,
    });
    expect(audit.entries).toEqual([]);
  });

  it('refuses to start when a guardrail passes but could never fail', async () => {
    const seen = telemetry({ 'p99WriteLatencyMs.0': 100 });
    await expect(check({ seen })).rejects.toMatchObject({
      name: 'SteadyStateNotMet',
      message:
        /p99WriteLatencyMs: .* never be beyond its limit: the highest finite bucket of http_write_duration_seconds is 100 ms, it must be more than 200 ms/,
    });
    expect(audit.entries).toEqual([]);
  });

  it('refuses to start without traffic or gateways, of which nothing could be missing later', async () => {
    await expect(check({ seen: telemetry({ requestRate: 0 }) })).rejects.toThrow(/there was no traffic/);
    await expect(check({ seen: telemetry({ liveGateways: 0 }) })).rejects.toThrow(/none was live/);
  });

  it('refuses to start when the store is not healthy or unknown', async () => {
    await expect(check({ topology: sick })).rejects.toMatchObject({ name: 'SteadyStateNotMet', message: /timeout/ });
    await expect(check({ topology: topologyOf([]) })).rejects.toMatchObject({ name: 'SteadyStateNotMet' });
  });

  it('refuses to start when an alarm fired since admission, has no data or cannot be read', async () => {
    for (const state of ['ALARM', 'INSUFFICIENT_DATA']) {
      await expect(check({ readAlarmStates: alarmIs(state) })).rejects.toMatchObject({
        name: 'SteadyStateNotMet',
        message: `alarm orders-5xx is ${state}`,
      });
    }
    const readAlarmStates = () => Promise.reject(new Error('throttled'));
    await expect(check({ readAlarmStates })).rejects.toMatchObject({ message: /alarms: .*throttled/ });
  });

  it('refuses to start from a glimpse of fewer than 15 samples', async () => {
    const seen = telemetry({ samples: 14 });
    await expect(readBaseline(seen, cluster)).rejects.toThrow(/14 samples/);
    await expect(check({ seen })).rejects.toMatchObject({ name: 'SteadyStateNotMet' });
  });
});
