import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterAt, DEFAULT_GUARDRAILS, portsOf } from '../../../functions/domain/configuration.ts';
import { configuration, redisCluster } from './configuration-fixtures.ts';

const own = { query: 'up', freshness: 'up', limit: 1, breachWhen: 'below', unit: '' };
const guardrailsOf = (cluster: Record<string, unknown>) => redisCluster(cluster).guardrails;

describe('a cluster', () => {
  it('has data that may not be lost, unless its configuration says so', () => {
    expect(redisCluster()).toMatchObject({ disposable: false, instanceStoreDataMayBeLost: false });
  });

  it.each(['var/lib', '/data dir', '/', '/a;b', '/$(id)'])(
    'refuses %j as data directory, which goes to hosts',
    (path) => {
      expect(() => configuration({ dataDirectory: path })).toThrow(/dataDirectory/);
    },
  );
});

describe('the tags of two clusters', () => {
  const tagged = (selectTags: Record<string, string>, others: Record<string, string>) => () =>
    configuration({ selectTags }, { other: { selectTags: others } });

  it.each([
    ['the same', { service: 'a' }, { service: 'a' }],
    ['more than the other’s', { service: 'a' }, { service: 'a', environment: 'b' }],
    ['others than the other’s', { service: 'a' }, { role: 'b' }],
    ['of a name that every object has', { service: 'a' }, { constructor: 'b' }],
  ])('are refused when one instance could carry both: %s', (_what, one, other) => {
    const message = 'clusters.other.selectTags: an instance could carry these tags and those of redis-master';
    expect(tagged(one, other)).toThrow(message);
    expect(tagged(other, one)).toThrow(message);
  });

  it('are taken when they share a key with different values', () => {
    expect(tagged({ service: 'a', zone: 'x' }, { service: 'b', zone: 'x' })).not.toThrow();
  });

  it('never select one instance for two clusters that are taken', () => {
    const tags = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { minKeys: 1 });
    const carries = (instance: Record<string, string>, wanted: Record<string, string>) =>
      Object.entries(wanted).every(([key, value]) => instance[key] === value);
    fc.assert(
      fc.property(tags, tags, (one, other) => {
        const instance = { ...one, ...other };
        const both = carries(instance, one) && carries(instance, other);
        if (both) expect(tagged(one, other)).toThrow('an instance could carry');
        else expect(tagged(one, other)).not.toThrow();
      }),
    );
  });
});

describe('the URL of telemetry, which every function carries in plain text', () => {
  it.each([
    'http://user:secret@prometheus',
    'http://user@prometheus',
    'http://:secret@prometheus',
    'http://prometheus?token=secret',
    'http://prometheus/#secret',
  ])('may hold no credentials: %s', (prometheusUrl) => {
    expect(() => configuration({ telemetry: { prometheusUrl } })).toThrow(
      'clusters.redis-master.telemetry.prometheusUrl: no user, password, query or fragment',
    );
  });

  it.each(['http://prometheus.example:9090', 'https://prometheus.example/prometheus/'])(
    'may have a path: %s',
    (prometheusUrl) => {
      expect(redisCluster({ telemetry: { prometheusUrl } }).telemetry.prometheusUrl).toBe(prometheusUrl);
    },
  );
});

describe('several stores on an instance', () => {
  const several = { port: [6379, 6380], unit: 'redis@{port}' };

  it('have one port each, and must be told apart by it in their unit', () => {
    expect(portsOf(redisCluster(several))).toEqual([6379, 6380]);
    expect(portsOf(redisCluster())).toEqual([6379]);
    expect(() => configuration({ ...several, unit: 'redis' })).toThrow(
      /clusters\.redis-master\.unit: must contain \{port\}/,
    );
    expect(() => configuration({ port: [6379], unit: 'redis' })).not.toThrow();
  });

  it.each([
    ['a port twice', [6379, 6380, 6379], /clusters\.redis-master\.port: names a port twice/],
    ['no port', [], /clusters\.redis-master\.port/],
    ['a port that is none', [6379, 65_536], /clusters\.redis-master\.port/],
    [
      'more ports than one rule of the packet filter takes, with Sentinel beside them',
      Array.from({ length: 15 }, (_, index) => 7000 + index),
      /redis-master\.port/,
    ],
  ])('are refused with %s', (_what, port, words) => {
    expect(() => configuration({ ...several, port })).toThrow(words);
  });

  it.each([
    ['unit', 'redis@{port', 'redis@{Port}', '{port}'],
    ['dataDirectory', '/data/{port', '/data/{}', '/data/{host}'],
  ])('have nothing in their %s that the host would be left to fill in', (field, ...texts) => {
    for (const text of texts) expect(() => configuration({ ...several, [field]: text }), text).toThrow(field);
  });

  it('are each the cluster with its own port in unit and directory, wherever and however often it stands', () => {
    const cluster = redisCluster({ ...several, unit: 'r{port}@{port}', dataDirectory: '/data/{port}/{port}-redis' });
    expect(clusterAt(cluster, 6380)).toEqual({
      ...cluster,
      ...{ port: 6380, unit: 'r6380@6380', dataDirectory: '/data/6380/6380-redis' },
    });
    expect(clusterAt(redisCluster(), 6379)).toEqual(redisCluster());
  });
});

describe('guardrails of a cluster', () => {
  it('are the defaults when none is configured', () => {
    expect(guardrailsOf({})).toEqual(DEFAULT_GUARDRAILS);
  });

  it('keep every default beside one that is replaced and one that is added', () => {
    const guardrails = guardrailsOf({ guardrails: { errorRatePct: own, replicationLag: own } });
    expect(Object.keys(guardrails).sort()).toEqual([...Object.keys(DEFAULT_GUARDRAILS), 'replicationLag'].sort());
    expect(guardrails.errorRatePct).toMatchObject(own);
    expect(guardrails.p99WriteLatencyMs).toEqual(DEFAULT_GUARDRAILS.p99WriteLatencyMs);
  });
});
