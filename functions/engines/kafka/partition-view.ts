import type { metadataV12 } from '@platformatic/kafka';

type Metadata = metadataV12.MetadataResponse;

/** What one broker says of a partition. */
export interface PartitionView {
  topicId: string;
  /** Id of a broker; undefined: nobody leads it. */
  leader: number | undefined;
  /** Higher for each leader than for the one before. */
  leaderEpoch: number;
  replicas: number[];
  inSync: number[];
  /** Of every partition of the topic: who leads it, -1 for nobody, and in which epoch. */
  leaders: { partition: number; leader: number; epoch: number }[];
  /** Those that may serve clients: one whose session with the controller is over is fenced, and not among them. */
  brokers: Metadata['brokers'];
}

/** @throws Error when the topic has no such partition */
export function partitionView({ topics, brokers }: Metadata, topic: string, partition: number): PartitionView {
  const found = topics.find(({ name }) => name === topic);
  const own = found?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
  if (!found || !own) throw new Error(`topic ${topic}: has no partition ${partition}`);
  const { leaderId, leaderEpoch, replicaNodes, isrNodes } = own;
  return {
    ...{ topicId: found.topicId, leaderEpoch, replicas: replicaNodes, inSync: isrNodes, brokers },
    leader: leaderId < 0 ? undefined : leaderId,
    leaders: found.partitions.map((each) => ({
      ...{ partition: each.partitionIndex, leader: each.leaderId, epoch: each.leaderEpoch },
    })),
  };
}

/** Replicas of the partition whose broker is fenced. */
export function fencedReplicas({ replicas, brokers }: PartitionView): number[] {
  return replicas.filter((id) => !brokers.some(({ nodeId }) => nodeId === id));
}
