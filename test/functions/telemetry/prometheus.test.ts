import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { evaluate } from '../../../functions/domain/guardrails.ts';
import { QUERY_TIMEOUT_MS } from '../../../functions/domain/timing.ts';
import { PrometheusClient, readTelemetry, readTrafficShare } from '../../../functions/telemetry/prometheus.ts';
import { baseline, cluster, named } from '../guard/fixtures.ts';
import { listening } from '../listening.ts';

let server: Server;
let prometheus: PrometheusClient;
/** What the server says to a query; undefined: it never answers. */
let answer: (query: string, path: string, asked: URLSearchParams) => { status?: number; body: unknown } | undefined;

const vector = (...values: string[]) => ({
  body: {
    status: 'success',
    data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1, value] })) },
  },
});
const scalar = (value: string) => ({ body: { status: 'success', data: { resultType: 'scalar', result: [1, value] } } });
const matrix = (...series: string[][]) => ({
  body: {
    status: 'success',
    data: {
      resultType: 'matrix',
      result: series.map((values) => ({ metric: {}, values: values.map((value, at) => [at, value]) })),
    },
  },
});

beforeEach(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const said = answer(url.searchParams.get('query') ?? '', url.pathname, url.searchParams);
    if (said) response.writeHead(said.status ?? 200).end(JSON.stringify(said.body));
  });
  prometheus = new PrometheusClient(`http://127.0.0.1:${await listening(server)}/`);
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

  it('is given up in time when there is no answer, and that is a breach', async () => {
    answer = () => undefined;
    const started = performance.now();
    const snapshot = await readTelemetry(prometheus, cluster);
    // All queries at once: the whole evaluation takes no longer than one of them, and as long for the machine as that takes.
    expect(performance.now() - started).toBeLessThan(1.5 * QUERY_TIMEOUT_MS);
    expect(evaluate(named, snapshot, baseline).every((reading) => reading.breached)).toBe(true);
  });
});

describe('a query over a time', () => {
  it('gives the samples of its one series, by the time of Prometheus itself, without those that are no number', async () => {
    let start = '';
    answer = (query, path, asked) => {
      if (query === 'time()') return scalar('1000');
      start = asked.get('start') ?? '';
      return path.endsWith('query_range') ? matrix(['NaN', '14', '15']) : undefined;
    };
    expect(await prometheus.range('up', 60)).toEqual([14, 15]);
    expect(start).toBe('940');
  });

  it('is refused where it gives no series or several', async () => {
    for (const series of [[], [['1'], ['2']]]) {
      answer = (query) => (query === 'time()' ? scalar('1000') : matrix(...series));
      await expect(prometheus.range('up', 60)).rejects.toThrow(/series/);
    }
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
