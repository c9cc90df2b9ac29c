import type { LiveNode } from '../../../../functions/domain/targets.ts';
import type { StoreTopology } from '../../../../functions/domain/topology.ts';
import {
  type CassandraCluster,
  cassandraClusterSchema,
} from '../../../../functions/engines/cassandra/configuration.ts';
import type { Movement } from '../../../../functions/engines/cassandra/heartbeats.ts';
import { mergeTopology } from '../../../../functions/engines/cassandra/topology.ts';
import type { Keyspace, NodeAnswer, NodeView, RingMember } from '../../../../functions/engines/cassandra/views.ts';

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
    keyspaces: [{ name: 'orders', consistency: 'QUORUM' }],
  },
  telemetry: { prometheusUrl: 'http://prometheus.example:9090', trafficShareQuery: 'share{n="{{node}}"}' },
};
export const cassandraCluster = (
  cassandra: Record<string, unknown> = {},
  change: Record<string, unknown> = {},
): CassandraCluster =>
  cassandraClusterSchema.parse({
    ...{ ...CASSANDRA_CLUSTER, ...change },
    cassandra: { ...CASSANDRA_CLUSTER.cassandra, ...cassandra },
  });

export const node = (id: number) => `cassandra-node-${id}`;
export const liveNode = (id: number): LiveNode => ({
  name: node(id),
  instanceId: `i-${id}`,
  addresses: [`10.78.0.5${id}`, `10.77.0.5${id}`],
  port: 9042,
  tags: { Name: node(id) },
  availabilityZone: `eu-west-1${'abc'[id - 1] ?? 'a'}`,
  subnetId: 'subnet-a',
  dataVolumeIds: [],
});
export const NODES: LiveNode[] = [1, 2, 3].map(liveNode);

export const host = (id: number) => `host-${id}`;
export const member = (id: number, change: Partial<RingMember> = {}): RingMember => ({
  ...{ hostId: host(id), addresses: [`10.77.0.5${id}`], datacenter: 'dc1', rack: `r${id}`, tokens: [BigInt(id * 100)] },
  ...change,
});
export const keyspace = (name: string, factors: Keyspace['factors'] = { dc1: '3' }): Keyspace => ({
  ...{ name, factors, strategy: 'org.apache.cassandra.locator.NetworkTopologyStrategy' },
});
export const KEYSPACES = ['holdfast_probe', 'orders', 'system_auth', 'system_traces'].map((name) => keyspace(name));

const SETTINGS = {
  commitlog_directory: '/var/lib/cassandra/commitlog',
  commitlog_disk_access_mode: 'direct',
  data_file_directories: '[/var/lib/cassandra/data]',
  disk_failure_policy: 'stop',
  hinted_handoff_enabled: 'true',
  'seed_provider.parameters': '{seeds=10.77.0.51,10.77.0.52}',
  stream_throughput_outbound: '24MiB/s',
  inter_dc_stream_throughput_outbound: '24MiB/s',
};

/** What node `id` of three says when all is well. */
export function answer(id: number, change: Partial<NodeAnswer> = {}): NodeAnswer {
  return {
    node: node(id),
    self: member(id),
    peers: [1, 2, 3].filter((each) => each !== id).map((each) => member(each)),
    schema: 'schema-1',
    heartbeats: [1, 2, 3].map((each) => ({ hostId: host(each), generation: 1, version: 7, status: 'NORMAL' })),
    ...{ hints: [], streams: [], repairs: [], keyspaces: KEYSPACES, hasProbeTable: true, settings: SETTINGS },
    problems: [],
    ...change,
  };
}

/** The same change to what everybody says. */
export const answers = (change: Partial<NodeAnswer> = {}): NodeAnswer[] => [1, 2, 3].map((id) => answer(id, change));

export const silent = (id: number, problem = 'connect ECONNREFUSED'): NodeView => ({ node: node(id), problem });

/** Everybody sees everybody move, but those in whose views the named stand still. */
export const seen = (still: Readonly<Record<string, readonly number[]>> = {}) => ({
  movementOf: (viewer: string, hostId: string): Movement =>
    (still[viewer] ?? []).map(host).includes(hostId) ? { state: 'still', forMs: 7500 } : { state: 'moving' },
});

export function merge(
  views: readonly NodeView[],
  {
    cassandra = {},
    nodes = NODES,
    memory = seen(),
  }: { cassandra?: Record<string, unknown>; nodes?: readonly LiveNode[]; memory?: ReturnType<typeof seen> } = {},
): StoreTopology {
  return mergeTopology(cassandraCluster(cassandra), nodes, views, memory, 0);
}
