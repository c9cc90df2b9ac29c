import { describe, expect, it } from 'vitest';
import { cassandraClusterSchema, demandOf } from '../../../../functions/engines/cassandra/configuration.ts';
import { CASSANDRA_CLUSTER, cassandraCluster } from './fixtures.ts';

/** `field: message` of everything that is wrong. */
const refusals = (change: Record<string, unknown>) =>
  (cassandraClusterSchema.safeParse({ ...CASSANDRA_CLUSTER, ...change }).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );
const own = (change: Record<string, unknown>, beside: Record<string, unknown> = {}) =>
  refusals({ ...beside, cassandra: { ...CASSANDRA_CLUSTER.cassandra, ...change } });

describe('a cluster of Cassandra', () => {
  it('says its seeds: the rest is what its packages and this guide have', () => {
    expect(cassandraCluster({ keyspaces: undefined }).cassandra).toEqual({
      ...{ seeds: ['cassandra-node-1', 'cassandra-node-2'], keyspaces: [] },
      ...{ storagePort: 7000, probeKeyspace: 'holdfast_probe', probeTable: 'probe', minHealthCheckGraceSeconds: 1800 },
    });
    expect(refusals({ cassandra: {} })).toEqual([expect.stringMatching(/^cassandra.seeds: /)]);
    expect(own({ seeds: [] })).toEqual([expect.stringMatching(/^cassandra.seeds: /)]);
    expect(own({ seeds: ['a', 'a'] })).toEqual(['cassandra.seeds: names a seed twice']);
  });

  it.each(['cassandra', 'dse'])('may have the unit %s', (unit) => {
    expect(refusals({ unit })).toEqual([]);
  });

  it('has listeners on ports of their own: two on one are refused by the field', () => {
    expect(own({ storagePort: 9042 })).toEqual(['cassandra.storagePort: 9042 is the port of another listener']);
    expect(own({ tlsStoragePort: 7000 })).toEqual(['cassandra.tlsStoragePort: 7000 is the port of another listener']);
    expect(own({ tlsStoragePort: 7001 })).toEqual([]);
    const port = Array.from({ length: 14 }, (_, index) => 9100 + index);
    expect(own({ tlsStoragePort: 7001 }, { port, unit: 'cassandra@{port}' })).toEqual([
      'port: with those between nodes at most 15',
    ]);
  });

  it('has a query for the traffic of one node: the shards are the probe’s own, and say nothing of it', () => {
    for (const trafficShareQuery of [undefined, 'share{s="{{shard}}"}']) {
      const telemetry = { prometheusUrl: 'http://prometheus.example', ...(trafficShareQuery && { trafficShareQuery }) };
      expect(refusals({ telemetry }).join()).toContain('telemetry.trafficShareQuery: is needed');
    }
  });

  it('is not talked to in plain text, nor by anybody, outside staging', () => {
    const tls = { serverName: '{node}.cassandra.example' };
    const login = { secretName: 's', credentialsFor: { securityGroupId: 'sg-1' } };
    const production = { tier: 'production' };
    expect(refusals({ ...production, ...login })).toEqual([expect.stringMatching(/^tls: is needed/)]);
    expect(refusals({ ...production, tls })).toEqual([expect.stringMatching(/^secretName: is needed/)]);
    expect(refusals({ ...production, ...login, tls })).toEqual([]);
  });

  it('names keyspaces once, with a level that Cassandra has, and none of Cassandra’s own', () => {
    const keyspaces = (...all: unknown[]) => own({ keyspaces: all });
    expect(keyspaces({ name: 'a', consistency: 'QUORUM' }, { name: 'a', consistency: 'ONE' })).toEqual([
      'cassandra.keyspaces: names a keyspace twice',
    ]);
    expect(keyspaces({ name: 'a', consistency: 'MOST' })).toEqual([
      expect.stringMatching(/^cassandra.keyspaces.0.consistency: .*LOCAL_QUORUM/),
    ]);
    for (const name of ['system_traces', 'system', 'a b', 'a;DROP', 'A', '']) {
      expect(keyspaces({ name, consistency: 'ONE' })).toContainEqual(
        expect.stringMatching(/^cassandra.keyspaces.0.name: /),
      );
      expect(own({ probeKeyspace: name }).join()).toMatch(/^cassandra.probeKeyspace: /);
    }
    expect(own({ probeTable: 'probe; DROP TABLE x' })).toEqual([expect.stringMatching(/^cassandra.probeTable: /)]);
    expect(keyspaces({ name: 'holdfast_probe', consistency: 'ANY' })).toEqual([
      expect.stringMatching(/^cassandra.keyspaces.0.consistency: is ANY for the probe/),
    ]);
  });

  it('has its data where faults of the disk would look for it', () => {
    expect(own({ dataDirectories: ['/data/a', '/var/lib/cassandra2'] })).toEqual([
      'cassandra.dataDirectories: none is /var/lib/cassandra or in it, which is the dataDirectory',
    ]);
    expect(own({ dataDirectories: ['/var/lib/cassandra/data', '/data/b'], commitLogDirectory: '/log' })).toEqual([]);
  });
});

describe('what a keyspace must keep', () => {
  const { cassandra } = cassandraCluster({
    keyspaces: [
      { name: 'orders', consistency: 'LOCAL_QUORUM', datacenters: ['dc1'] },
      { name: 'scratch', consistency: 'ANY' },
    ],
  });

  it('is what its clients read and write with', () => {
    expect(demandOf(cassandra, 'orders')).toEqual({ consistency: 'LOCAL_QUORUM', datacenters: ['dc1'] });
    expect(demandOf(cassandra, 'scratch')).toBeUndefined();
  });

  it('may be less of the logins where all clients are in one datacenter', () => {
    const logins = { name: 'system_auth', consistency: 'LOCAL_QUORUM', datacenters: ['dc1'] };
    expect(demandOf(cassandraCluster({ keyspaces: [logins] }).cassandra, 'system_auth')?.datacenters).toEqual(['dc1']);
  });

  it('is a majority where nobody said otherwise, and the logins of everybody', () => {
    expect(demandOf(cassandra, 'forgotten')).toEqual({ consistency: 'QUORUM' });
    expect(demandOf(cassandra, 'system_auth')).toEqual({ consistency: 'LOCAL_QUORUM' });
    expect(demandOf(cassandra, 'system_traces')).toBeUndefined();
    expect(demandOf(cassandra, 'systematic')).toEqual({ consistency: 'QUORUM' });
  });
});
