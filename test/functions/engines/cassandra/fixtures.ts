import {
  type CassandraCluster,
  cassandraClusterSchema,
} from '../../../../functions/engines/cassandra/configuration.ts';

/** A cluster of tier `staging` without login or TLS, as a configuration has it. */
export const CASSANDRA_CLUSTER = {
  engine: 'cassandra',
  tier: 'staging',
  selectTags: { 'holdfast-cluster': 'cassandra-orders' },
  unit: 'cassandra',
  port: 9042,
  dataDirectory: '/var/lib/cassandra',
  cassandra: {
    seeds: ['cassandra-node-1', 'cassandra-node-2'],
    localDatacenter: 'dc1',
    keyspaces: [{ name: 'orders', consistency: 'QUORUM' }],
  },
  telemetry: { prometheusUrl: 'http://prometheus.example:9090', trafficShareQuery: 'share{n="{{node}}"}' },
};
export const cassandraCluster = (cassandra: Record<string, unknown> = {}): CassandraCluster =>
  cassandraClusterSchema.parse({
    ...CASSANDRA_CLUSTER,
    cassandra: { ...CASSANDRA_CLUSTER.cassandra, ...cassandra },
  });
