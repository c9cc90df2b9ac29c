import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { evaluate } from '../../../functions/domain/guardrails.ts';
import { QUERY_TIMEOUT_MS } from '../../../functions/domain/timing.ts';
import { guard } from '../../../functions/guard/guard.ts';
import { systemClock } from '../../../functions/runtime/system-clock.ts';
import { readBaseline } from '../../../functions/telemetry/baseline.ts';
import { PrometheusClient } from '../../../functions/telemetry/prometheus.ts';
import { readTelemetry } from '../../../functions/telemetry/snapshot.ts';
import { baseline, cluster, named } from '../guard/fixtures.ts';
import { listening } from '../listening.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

let server: Server;
let prometheus: PrometheusClient;
/** What the server says to a query; undefined: it never answers. */
let answer: (query: string, path: string, asked: URLSearchParams) => { status?: number; body: unknown } | undefined;

/** By our clock, for all of a test. Milliseconds. */
const NOW_MS = Date.parse('2026-05-29T13:12:00Z');
const ourClock = { nowEpochMs: () => NOW_MS };
/** Of an answer that is evaluated so long after now. Milliseconds. */
const nowSeconds = (offsetMs = 0) => (NOW_MS + offsetMs) / 1000;
const vectorOf = (parts: [Record<string, string>, string][], offsetMs = 0) => ({
  body: {
    status: 'success',
    data: {
      resultType: 'vector',
      result: parts.map(([metric, value]) => ({ metric, value: [nowSeconds(offsetMs), value] })),
    },
  },
});
const vector = (...values: string[]) => vectorOf(values.map((value, index) => [{ series: `${index}` }, value]));
/** Value and age, as the one query asks for them. */
const aged = (value: string, age = '0.3', offsetMs = 0) =>
  vectorOf(
    [
      [{ holdfast_part: 'value' }, value],
      [{ holdfast_part: 'age' }, age],
    ],
    offsetMs,
  );
const scalar = (value: string) => ({
  body: { status: 'success', data: { resultType: 'scalar', result: [nowSeconds(), value] } },
});
/** Samples one second apart, from the start that was asked for. */
const matrix = (asked: URLSearchParams, ...series: string[][]) => ({
  body: {
    status: 'success',
    data: {
      resultType: 'matrix',
      result: series.map((values) => ({
        metric: {},
        values: values.map((value, at) => [Number(asked.get('start')) + at, value]),
      })),
    },
  },
});
/** Two series of one part. */
const two = (part: string): [Record<string, string>, string][] => [
  [{ holdfast_part: part, series: '1' }, '1'],
  [{ holdfast_part: part, series: '2' }, '2'],
];
const up = { query: 'up', freshness: 'up' };

beforeEach(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const said = answer(url.searchParams.get('query') ?? '', url.pathname, url.searchParams);
    if (said) response.writeHead(said.status ?? 200).end(JSON.stringify(said.body));
  });
  prometheus = new PrometheusClient(`http://127.0.0.1:${await listening(server)}/`, ourClock);
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const histogram = { resultType: 'vector', result: [{ metric: {}, histogram: [1, {}] }] };

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
    ['a histogram', { body: { status: 'success', data: histogram } }, /histogram/],
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

describe('a reading', () => {
  it('has its value and its age from one query, for any query of one series and with a comment in it', async () => {
    const asked: string[] = [];
    answer = (query) => {
      asked.push(query);
      return aged('1.5', '0.3');
    };
    const source = { query: 'a or b # as of old', freshness: 'up{job="x"}' };
    expect(await prometheus.read(source)).toEqual({ value: 1.5, ageSeconds: 0.3 });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('label_replace(a or b # as of old\n, ');
    expect(asked[0]).toContain('time() - min(timestamp(up{job="x"}))');
  });

  it.each([
    ['without a value', () => vectorOf([[{ holdfast_part: 'age' }, '0.1']]), /no series/],
    ['without an age', () => vectorOf([[{ holdfast_part: 'value' }, '1']]), /age is unknown/],
    ['of two series', () => vectorOf([...two('value'), [{ holdfast_part: 'age' }, '1']]), /2 series/],
    ['whose age is no number', () => aged('1', 'NaN'), /NaN/],
  ])('is none %s', async (_what, said, problem) => {
    answer = said;
    await expect(prometheus.read(up)).rejects.toThrow(problem);
  });

  it.each([
    [
      'long before it was asked for',
      -240_000,
      /evaluated 240\.0 s before it was asked for \(clocks may differ by 1 s\)/,
    ],
    ['clearly after it came', 5_000, /evaluated 5\.0 s after it came/],
  ])('is none when it was evaluated %s', async (_what, offsetMs, problem) => {
    answer = () => aged('1', '0.3', offsetMs);
    await expect(prometheus.read(up)).rejects.toThrow(problem);
  });

  it('is taken from a clock that differs by a second and no more', async () => {
    for (const offsetMs of [-1000, 1000]) {
      answer = () => aged('1', '0.3', offsetMs);
      expect(await prometheus.read({ ...up, query: `up # ${offsetMs}` })).toMatchObject({ value: 1 });
    }
    for (const offsetMs of [-1001, 1001]) {
      answer = () => aged('1', '0.3', offsetMs);
      await expect(prometheus.read(up)).rejects.toThrow(/clocks may differ by 1 s/);
    }
  });

  it('is none when it was not evaluated after the one before, however young it is', async () => {
    const replayed = aged('1');
    answer = () => replayed;
    expect(await prometheus.read(up)).toMatchObject({ value: 1 });
    await expect(prometheus.read(up)).rejects.toThrow(/not evaluated after the one before/);
    answer = () => aged('2', '0.3', 10);
    expect(await prometheus.read(up)).toMatchObject({ value: 2 });
    // Another server behind the balancer, half a second behind.
    answer = () => aged('1', '0.3', -500);
    await expect(prometheus.read(up)).rejects.toThrow(/lags behind/);
    expect(await prometheus.read({ query: 'other', freshness: 'up' })).toMatchObject({ value: 1 });
  });

  it('is asked once by all who ask the same at the same time: none of them takes the others for a cache', async () => {
    let asked = 0;
    answer = () => {
      asked += 1;
      return aged('1', '0.3', asked);
    };
    const together = await Promise.all([prometheus.read(up), prometheus.read(up), prometheus.read(up)]);
    expect(together).toEqual(Array(3).fill({ value: 1, ageSeconds: 0.3 }));
    expect(asked).toBe(1);
    await prometheus.read(up);
    expect(asked).toBe(2);
  });

  it('gives no beat from answers that are repeated for ever', async () => {
    let beats = 0;
    const recorded = new Map<string, ReturnType<typeof aged>>();
    answer = (query) => {
      const said = recorded.get(query) ?? aged(query.includes('workers') ? '90' : query.includes('5..') ? '0' : '100');
      recorded.set(query, said);
      return said;
    };
    const guarded = guard(
      {
        experimentId: 'exp',
        clusters: [{ ...named, baseline: { liveGateways: 2, requestsPerSecond: 100 }, telemetry: prometheus }],
        hasFisFaults: false,
      },
      {
        clock: systemClock,
        audit: memoryAuditLog(),
        remainingMs: () => 60_000,
        switches: { engaged: async () => undefined },
        leases: {
          read: async () => undefined,
          release: async () => true,
          renew: async () => {
            beats += 1;
            return leaseOf();
          },
        },
      },
    );
    await expect(guarded).rejects.toThrow(/could not be read: the answer was not evaluated after the one before/);
    expect(beats).toBe(1);
  });
});

describe('a query over a time', () => {
  it('gives the samples of its one series up to now, without those that are no number', async () => {
    let asked = new URLSearchParams();
    answer = (_query, path, parameters) => {
      asked = parameters;
      return path.endsWith('query_range') ? matrix(parameters, ['NaN', '14', '15']) : undefined;
    };
    expect(await prometheus.range('up', 60)).toEqual([14, 15]);
    expect(asked.get('end')).toBe(`${nowSeconds()}`);
    expect(asked.get('start')).toBe(`${nowSeconds(-60_000)}`);
  });

  it('is refused where it gives no series or several', async () => {
    for (const series of [[], [['1'], ['2']]]) {
      answer = (_query, _path, asked) => matrix(asked, ...series);
      await expect(prometheus.range('up', 60)).rejects.toThrow(/series/);
    }
  });

  it('is refused where the answer is for another time than was asked for', async () => {
    answer = () => matrix(new URLSearchParams({ start: `${nowSeconds(-240_000)}` }), Array(60).fill('1'));
    await expect(prometheus.range('up', 60)).rejects.toThrow(/another time/);
  });

  it('refuses a baseline without traffic, of which nothing could be missing later', async () => {
    const is = (gateways: string, rate: string) => {
      answer = (query, _path, asked) =>
        matrix(asked, Array(60).fill(query.includes('count(up') ? gateways : query.includes('le') ? '14' : rate));
    };
    is('2', '1000');
    expect(await readBaseline(prometheus, cluster)).toMatchObject({ liveGateways: 2, requestsPerSecond: 1000 });
    is('2', '0');
    await expect(readBaseline(prometheus, cluster)).rejects.toThrow(/no traffic/);
    is('0', '1000');
    await expect(readBaseline(prometheus, cluster)).rejects.toThrow(/none was live/);
  });
});

describe('the history of a reading', () => {
  const at = (second: number, value: string) => [second, value];
  const parts = (value: [number, string][], age: [number, string][]) => ({
    body: {
      status: 'success',
      data: {
        resultType: 'matrix',
        result: [
          { metric: { holdfast_part: 'value' }, values: value },
          { metric: { holdfast_part: 'age' }, values: age },
        ],
      },
    },
  });

  it('is asked for in parts that fit together, and is not known where one of them fails', async () => {
    const asked: number[][] = [];
    answer = (_query, _path, parameters) => {
      const [start, end] = [Number(parameters.get('start')), Number(parameters.get('end'))];
      asked.push([start, end]);
      const seconds = Array.from({ length: end - start + 1 }, (_, second) => at(start + second, '1'));
      return parts(seconds as [number, string][], seconds as [number, string][]);
    };
    const history = await prometheus.history(up, 100_000, 400_000);
    expect(history.size).toBe(301);
    for (const reading of history.values()) expect(reading).toEqual({ value: 1, ageSeconds: 1 });
    expect(asked.toSorted(([a = 0], [b = 0]) => a - b)).toEqual([
      [100, 219],
      [220, 339],
      [340, 400],
    ]);
    answer = (_query, _path, parameters) =>
      parameters.get('start') === '220' ? { status: 503, body: 'busy' } : parts([], []);
    await expect(prometheus.history(up, 100_000, 400_000)).rejects.toThrow(/503/);
  });

  it('has a reading for every second, also for those of which nothing is known', async () => {
    answer = () =>
      parts(
        [at(100, '1'), at(102, 'NaN')] as [number, string][],
        [at(100, '0.1'), at(101, '1.1')] as [number, string][],
      );
    const history = await prometheus.history(up, 100_400, 102_900);
    expect([...history]).toEqual([
      [100_000, { value: 1, ageSeconds: 0.1 }],
      [101_000, { ageSeconds: 1.1 }],
      [102_000, { value: Number.NaN }],
    ]);
  });
});

describe('an alerting rule', () => {
  const rule = { name: 'Failover', health: 'ok', lastEvaluation: new Date(NOW_MS - 2000).toISOString() };
  const rulesAre = (...found: object[]) => {
    answer = (_query, path, asked) =>
      path.endsWith('/rules') && asked.get('type') === 'alert'
        ? { body: { status: 'success', data: { groups: [{ interval: 1, rules: found }] } } }
        : { status: 404, body: {} };
  };

  it('can fire while Prometheus evaluates it', async () => {
    rulesAre({ ...rule, name: 'Other' }, rule);
    expect(await prometheus.alertProblem('Failover')).toBeUndefined();
  });

  it.each<[what: string, found: object[], problem: RegExp]>([
    ['fails at one of its severities', [rule, { ...rule, health: 'err', lastError: 'many-to-many' }], /is err/],
    ['is not there', [{ ...rule, name: 'Other' }], /no alerting rule Failover/],
    ['fails', [{ ...rule, health: 'err', lastError: 'many-to-many' }], /is err: many-to-many/],
    ['was never evaluated', [{ ...rule, health: 'unknown' }], /not evaluated yet/],
    ['stands still', [{ ...rule, lastEvaluation: new Date(NOW_MS - 5000).toISOString() }], /evaluated 5.0 s ago/],
    ['tells no time', [{ ...rule, lastEvaluation: '' }], /evaluated NaN s ago/],
  ])('could not fire when it %s', async (_what, found, problem) => {
    rulesAre(...found);
    expect(await prometheus.alertProblem('Failover')).toMatch(problem);
  });

  it('is unknown when Prometheus does not tell of its rules', async () => {
    answer = () => ({ status: 404, body: 'not found' });
    await expect(prometheus.alertProblem('Failover')).rejects.toThrow('HTTP 404');
  });
});
