import { groupShard, type Shard } from '../../domain/topology.ts';
import { type Partition, partitionProblems } from './partitions.ts';
import type { BrokerAnswer } from './views.ts';

const OFFSETS_TOPIC = '__consumer_offsets';

/** A consumer group: the replicas of the partition that its offsets are in, whose leader coordinates it. */
export function groupOf(group: string, partitions: readonly Partition[], answers: readonly BrokerAnswer[]): Shard {
  const named = { name: groupShard(group), unprobed: true } as const;
  const offsets = partitions.filter(({ topic }) => topic === OFFSETS_TOPIC);
  const own = offsets.find(({ index }) => index === partitionOf(group, offsets.length));
  const coordinators = answers.filter(({ groups }) => isThere(groups.get(group))).map(({ node }) => node);
  if (!own)
    return { ...named, members: [], problems: [`there is no group ${group}: no group was ever coordinated here`] };
  const { leader, members } = own;
  const isAgreed = own.doubters.length === 0 && coordinators.length === 1 && coordinators[0] === leader;
  const problems = partitionProblems(own).map((problem) => `${own.name} ${problem}`);
  if (coordinators.length === 0) problems.push(`there is no group ${group}: no broker that answers coordinates it`);
  else if (!isAgreed)
    problems.push(`is coordinated by ${coordinators.join(', ')}, but ${own.name} is led by ${leader ?? 'nobody'}`);
  return {
    ...named,
    members: members.map((node) => ({
      node,
      ...(isAgreed ? { role: node === leader ? 'coordinator' : 'follower' } : {}),
    })),
    problems,
  };
}

function isThere(state: string | undefined): boolean {
  return state !== undefined && state !== 'Dead';
}

/** As Kafka computes it: by Java's hash of the name. */
export function partitionOf(group: string, partitions: number): number {
  let hash = 0;
  for (let index = 0; index < group.length; index++) hash = (31 * hash + group.charCodeAt(index)) | 0;
  // The one number that has no counterpart in 32 bits.
  return hash === -0x8000_0000 ? 0 : Math.abs(hash) % partitions;
}
