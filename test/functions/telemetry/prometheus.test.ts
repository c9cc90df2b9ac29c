import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { evaluate } from '../../../functions/domain/guardrails.ts';
import type { StoreTopology } from '../../../functions/engines/engine.ts';
import { checkSteadyState } from '../../../functions/guard/check-steady-state.ts';
import { readBaseline } from '../../../functions/telemetry/baseline.ts';
import { PrometheusClient, readTelemetry, readTrafficShare } from '../../../functions/telemetry/prometheus.ts';
import { baseline, cluster, named } from '../guard/fixtures.ts';

let server: Server;
let prometheus: PrometheusClient;
/** What the server says to a query; undefined: it never answers. */
let answer: (query: string, path: string) => { status?: number; body: unknown } | undefined;

const vector = (...values: string[]) => ({
  body: {
    status: 'success',
    data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1, value] })) },
  },
});
const scalar = (value: string) => ({ body: { status: 'success', data: { resultType: 'scalar', result: [1, value] } } });
const matrix = (values: string[]) => ({
  body: {
    status: 'success',
    data: { resultType: 'matrix', result: [{ metric: {}, values: values.map((value, at) => [at, value]) }] },
  },
});

beforeEach(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const said = answer(url.searchParams.get('query') ?? '', url.pathname);
    if (said) response.writeHead(said.status ?? 200).end(JSON.stringify(said.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  prometheus = new PrometheusClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('a query', () => {
  it('gives the one value of a vector or a scalar', async () => {
    answer = (query) => (query === 'time()' ? scalar('5') : vector('1.5'));
    expect(await prometheus.instant('time()')).toBe(5);
    expect(await prometheus.instant('up')).toBe(1.5);
  });

  it.each([
    ['no series', vector(), /no series/],
    ['several series', vector('1', '2'), /2 series/],
    ['NaN', vector('NaN'), /NaN/],
    ['infinity', vector('+Inf'), /Inf/],
    ['an empty text', vector(''), /gives/],
    ['an HTTP error', { status: 503, body: { status: 'error' } }, /503/],
    ['something else than JSON of Prometheus', { body: { hello: 'world' } }, /status|invalid/i],
    ['a partial answer', { body: { ...vector('1').body, warnings: ['store unreachable'] } }, /store unreachable/],
  ])('never takes %s for a value', async (_what, said, problem) => {
    answer = () => said;
    await expect(prometheus.instant('up')).rejects.toThrow(problem);
  });

  it('gives up within 700 ms when there is no answer, and that is a breach', async () => {
    answer = () => undefined;
    const started = performance.now();
    const snapshot = await readTelemetry(prometheus, cluster);
    expect(performance.now() - started).toBeLessThan(1500);
    expect(evaluate(named, snapshot, baseline).every((reading) => reading.breached)).toBe(true);
  });
});

describe('traffic share', () => {
  it('asks for the shards as alternatives in which a dot is only a dot', async () => {
    let asked = '';
    answer = (query) => {
      asked = query;
      return vector('0.003');
    };
    expect(await readTrafficShare(prometheus, cluster, ['shard-1', 'a.b'])).toBe(0.003);
    expect(asked).toContain('shard=~"shard-1|a[.]b"');
    await expect(readTrafficShare(prometheus, cluster, ['x"} or vector(0'])).rejects.toThrow(/letters, digits/);
  });

  it('is unknown, not zero, when there is no traffic', async () => {
    answer = () => vector('NaN');
    await expect(readTrafficShare(prometheus, cluster, ['shard-1'])).rejects.toThrow(/NaN/);
  });
});

describe('steady state', () => {
  const healthy: StoreTopology = {
    shards: [{ name: 'shard-1', master: 'a', replicas: ['b'], healthy: true, problems: [] }],
    advertisedAddresses: {},
    problems: [],
  };
  const entries: unknown[] = [];
  const alarms = [{ name: 'orders-5xx', severity: 'CRITICAL' as const }];
  const check = (
    topology: StoreTopology,
    readAlarmStates = async () => new Map([['orders-5xx', 'OK']]),
    clusters = ['redis-master'],
  ) =>
    checkSteadyState(
      'exp',
      clusters.map((name) => ({
        name,
        cluster: { ...cluster, alarms },
        telemetry: prometheus,
        readTopology: async () => (name === 'redis-master' ? topology : healthy),
      })),
      {
        readAlarmStates,
        audit: { append: async (...entry) => entries.push(entry) as never },
      },
    );
  const well =
    (p99: string, samples = 30) =>
    (query: string, path: string) => {
      if (query === 'time()') return scalar('1000');
      if (query.startsWith('time() - ')) return vector('0.4');
      const value = query.includes('histogram_quantile')
        ? p99
        : query.includes('count(up')
          ? '2'
          : query.includes('workers')
            ? '80'
            : query.includes('5..')
              ? '0'
              : '1000';
      return path.endsWith('query_range') ? matrix(['NaN', ...Array<string>(samples).fill(value)]) : vector(value);
    };

  it('is confirmed with the medians of the past minute', async () => {
    answer = well('14');
    const steady = { p99LatencyMs: 14, liveGateways: 2, requestsPerSecond: 1000 };
    expect(await check(healthy)).toMatchObject({ 'redis-master': steady });
    const baselines = { 'redis-master': { p99LatencyMs: 14 } };
    expect(entries.at(-1)).toMatchObject(['exp', 'STEADY_STATE_CONFIRMED', {}, { baselines }]);
  });

  it('has a baseline of every cluster, and refuses to start when any of them is not steady', async () => {
    answer = well('14');
    const both = ['redis-other', 'redis-master'];
    const ok = async () => new Map([['orders-5xx', 'OK']]);
    expect(Object.keys(await check(healthy, ok, both))).toEqual(both);
    const sick = { ...healthy, problems: ['Sentinel of b: timeout'] };
    await expect(check(sick, ok, both)).rejects.toMatchObject({
      name: 'SteadyStateNotMet',
      message: 'redis-master: store: Sentinel of b: timeout',
    });
  });

  it('refuses to start when a guardrail does not pass', async () => {
    answer = well('250');
    await expect(check(healthy)).rejects.toMatchObject({
      name: 'SteadyStateNotMet',
      message: /250 ms is above 200 ms/,
    });
  });

  it('refuses to start when the store is not healthy or unknown', async () => {
    answer = well('14');
    const sick = { ...healthy, problems: ['Sentinel of b: timeout'] };
    await expect(check(sick)).rejects.toMatchObject({ name: 'SteadyStateNotMet', message: /timeout/ });
    await expect(check({ ...healthy, shards: [] })).rejects.toMatchObject({ name: 'SteadyStateNotMet' });
  });

  it('refuses to start when an alarm fired since admission, has no data or cannot be read', async () => {
    answer = well('14');
    for (const state of ['ALARM', 'INSUFFICIENT_DATA']) {
      await expect(check(healthy, async () => new Map([['orders-5xx', state]]))).rejects.toMatchObject({
        name: 'SteadyStateNotMet',
        message: `alarm orders-5xx is ${state}`,
      });
    }
    const unreadable = () => Promise.reject(new Error('throttled'));
    await expect(check(healthy, unreadable)).rejects.toMatchObject({ message: /alarms: .*throttled/ });
  });

  it('refuses to start from a glimpse of fewer than 15 samples', async () => {
    answer = well('14', 14);
    await expect(readBaseline(prometheus, cluster)).rejects.toThrow(/14 samples/);
    await expect(check(healthy)).rejects.toMatchObject({ name: 'SteadyStateNotMet' });
  });
});
