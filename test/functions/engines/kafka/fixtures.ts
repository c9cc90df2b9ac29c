import type { LiveNode } from '../../../../functions/domain/targets.ts';
import type { StoreTopology } from '../../../../functions/domain/topology.ts';
import { type KafkaCluster, kafkaClusterSchema } from '../../../../functions/engines/kafka/configuration.ts';
import { mergeTopology } from '../../../../functions/engines/kafka/topology.ts';
import type { BrokerAnswer, BrokerView, PartitionView } from '../../../../functions/engines/kafka/views.ts';

/** A cluster of tier `staging` without login or TLS, as a configuration has it. */
export const KAFKA_CLUSTER = {
  engine: 'kafka',
  tier: 'staging',
  selectTags: { 'holdfast-cluster': 'kafka-orders' },
  unit: 'kafka',
  port: 9092,
  dataDirectory: '/var/lib/kafka',
  telemetry: { prometheusUrl: 'http://prometheus.example:9090', trafficShareQuery: 'share{n="{{node}}"}' },
};
export const kafkaCluster = (change: Record<string, unknown> = {}): KafkaCluster =>
  kafkaClusterSchema.parse({ ...KAFKA_CLUSTER, ...change });

export const node = (id: number) => `kafka-node-${id}`;
export const liveBroker = (id: number, change: Partial<LiveNode> = {}): LiveNode => ({
  name: node(id),
  instanceId: `i-${id}`,
  addresses: [`10.78.0.3${id}`, `10.77.0.3${id}`],
  port: 9092,
  tags: { Name: node(id) },
  availabilityZone: `eu-west-1${'abc'[id - 1] ?? 'a'}`,
  subnetId: 'subnet-a',
  dataVolumeIds: [],
  ...change,
});
export const NODES: LiveNode[] = [1, 2, 3].map((id) => liveBroker(id));

export const announced = (id: number, change = {}) => ({
  ...{ id, host: `10.77.0.3${id}`, addresses: [`10.77.0.3${id}`], port: 9092, isFenced: false, ...change },
});

/** On all three, all in sync; the first replica leads. */
export const partition = (topic: string, index: number, change: Partial<PartitionView> = {}): PartitionView => {
  const replicas = [0, 1, 2].map((step) => ((index + step) % 3) + 1);
  return { topic, index, leader: replicas[0] ?? -1, leaderEpoch: 4, replicas, inSync: replicas, ...change };
};

export const PARTITIONS = ['__consumer_offsets', 'holdfast-probe', 'orders'].flatMap((topic) =>
  [0, 1, 2].map((index) => partition(topic, index)),
);
const SETTINGS = { minInSync: 2, allowsUncleanLeaders: false, isThrottled: true };

/** What broker `id` of three says when all is well: 2 is the controller. */
export function answer(id: number, change: Partial<BrokerAnswer> = {}): BrokerAnswer {
  const topics = [...new Set((change.partitions ?? PARTITIONS).map(({ topic }) => topic))];
  return {
    node: node(id),
    brokers: [1, 2, 3].map((each) => announced(each)),
    partitions: PARTITIONS,
    quorum: { leader: 2, epoch: 7, voters: [1, 2, 3].map((each) => ({ id: each, silentMs: each === 2 ? 0 : 300 })) },
    reassigned: [],
    logDirectories: [{ path: '/var/lib/kafka' }],
    storedTopics: topics,
    topicSettings: new Map(topics.map((topic) => [topic, SETTINGS])),
    settings: {
      ...{ 'leader.replication.throttled.rate': '1000000', 'follower.replication.throttled.rate': '1000000' },
      'process.roles': 'broker,controller',
    },
    groups: new Map(id === 1 ? [['orders-workers', 'Stable']] : []),
    problems: [],
    ...change,
  };
}

/** The same change to what everybody says. */
export const answers = (change: Partial<BrokerAnswer> = {}): BrokerAnswer[] =>
  [1, 2, 3].map((id) => answer(id, change));

export const silent = (id: number, problem = 'Connection timed out'): BrokerView => ({ node: node(id), problem });

export function merge(
  views: readonly BrokerView[],
  kafka: Record<string, unknown> = { groups: ['orders-workers'] },
  nodes: readonly LiveNode[] = NODES,
): StoreTopology {
  return mergeTopology(kafkaCluster({ kafka }), nodes, views);
}

/** With some partitions in the place of those of the same name. */
export function withPartitions(...changed: PartitionView[]): PartitionView[] {
  const isChanged = ({ topic, index }: PartitionView) =>
    changed.some((other) => other.topic === topic && other.index === index);
  return [...PARTITIONS.filter((each) => !isChanged(each)), ...changed];
}
