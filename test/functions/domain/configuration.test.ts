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
