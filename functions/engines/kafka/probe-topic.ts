import type { Shard } from '../../domain/topology.ts';
import { type Partition, partitionProblems } from './partitions.ts';

/** Each partition of the probe's topic is a shard. */
export function probedShardsOf(probeTopic: string, partitions: readonly Partition[]): Shard[] {
  return partitions
    .filter(({ topic }) => topic === probeTopic)
    .map((partition) => {
      const isKnown = partition.doubters.length === 0 && partition.leader !== undefined;
      return {
        name: partition.name,
        members: partition.members.map((node) => ({
          node,
          ...(isKnown ? { role: node === partition.leader ? 'leader' : 'follower' } : {}),
        })),
        problems: partitionProblems(partition),
      };
    });
}

/** Why the probe could not measure what clients of each broker would notice, and what to do about it. */
export function probeTopicProblems(probeTopic: string, partitions: readonly Partition[], brokers: number): string[] {
  const own = partitions.filter(({ topic }) => topic === probeTopic);
  const command = `kafka-topics.sh --create --topic ${probeTopic} --partitions ${brokers} --replication-factor 3`;
  if (own.length === 0) return [`there is no topic ${probeTopic} for the probe, or no ACL Describe on it: ${command}`];
  const lone = own.filter(({ members }) => members.length < 2);
  return [
    ...(lone.length === 0
      ? []
      : [`${probeTopic} has one replica only, so no failover could be seen: make it anew, ${command}`]),
    ...(own.length >= brokers
      ? []
      : [
          `${probeTopic} has ${own.length} partitions for ${brokers} brokers, so not every broker leads one: kafka-topics.sh --alter --topic ${probeTopic} --partitions ${brokers}`,
        ]),
  ];
}

/** Brokers that lead none of its partitions: as after every failover, until the preferred leaders are elected. */
export function leadingNone(shards: readonly Shard[], nodes: readonly string[]): string[] {
  const leaders = new Set(
    shards.flatMap(({ members }) => members.filter(({ role }) => role === 'leader')).map(({ node }) => node),
  );
  return nodes.filter((node) => !leaders.has(node));
}

/** What brings every broker a partition to lead again. */
export const ELECT =
  'elect the preferred leaders, kafka-leader-election.sh --election-type preferred --all-topic-partitions';
