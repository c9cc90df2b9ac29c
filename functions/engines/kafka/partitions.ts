import type { ReplicaSet } from '../../domain/topology.ts';
import type { Brokers } from './brokers.ts';
import { type BrokerAnswer, type PartitionView, partitionName } from './views.ts';

/** A partition as all brokers together see it. */
export interface Partition extends ReplicaSet {
  topic: string;
  index: number;
  /** Brokers that see another leader than the others, or an older one; empty: all agree. */
  doubters: string[];
}

interface Opinion extends PartitionView {
  by: string;
}

/** Every partition that anybody knows, by topic and number. */
export function partitionsOf(answers: readonly BrokerAnswer[], brokers: Brokers): Partition[] {
  const opinions = new Map<string, Opinion[]>();
  for (const { node, partitions } of answers) {
    for (const partition of partitions) {
      const name = partitionName(partition);
      const own = opinions.get(name) ?? [];
      own.push({ ...partition, by: node });
      opinions.set(name, own);
    }
  }
  const moving = new Set(answers.flatMap(({ reassigned }) => reassigned));
  return [...opinions.values()]
    .map((all) => merge(all, answers, brokers, moving))
    .sort((one, other) => (one.topic === other.topic ? one.index - other.index : one.topic < other.topic ? -1 : 1));
}

/**
 * Who has been cut off knows an old leader: the newest epoch counts. Of those who know it, a follower that was cut off may
 * still know an in-sync set that has shrunk since: what all of them say counts.
 */
function merge(
  all: readonly Opinion[],
  answers: readonly BrokerAnswer[],
  brokers: Brokers,
  moving: ReadonlySet<string>,
): Partition {
  const newest = Math.max(...all.map(({ leaderEpoch }) => leaderEpoch));
  const current = all.filter(({ leaderEpoch }) => leaderEpoch === newest);
  const leaders = new Set(current.map(({ leader }) => leader));
  const [first] = current;
  if (!first) throw new Error('a partition of which nobody said anything');
  const replicas = [...new Set(current.flatMap((opinion) => opinion.replicas))];
  const inSync = replicas.filter((id) => current.every((opinion) => opinion.inSync.includes(id)));
  const leader = leaders.size === 1 ? brokers.nodeOf(first.leader) : undefined;
  const name = partitionName(first);
  return {
    ...{ name, topic: first.topic, index: first.index },
    members: replicas.map(brokers.nameOf),
    // One that is no live node serves nobody whom we know.
    inSync: inSync.flatMap((id) => brokers.nodeOf(id) ?? []),
    ...(leader === undefined ? {} : { leader }),
    minInSync: minInSyncOf(first, replicas, answers, brokers),
    ...(moving.has(name) ? { isReassigned: true } : {}),
    doubters:
      leaders.size > 1 ? all.map(({ by }) => by) : all.flatMap((each) => (each.leaderEpoch < newest ? [each.by] : [])),
  };
}

/** As the leader enforces it; where it does not say, the most that any replica would. Nobody: all of them. */
function minInSyncOf(
  { topic, leader }: PartitionView,
  replicas: readonly number[],
  answers: readonly BrokerAnswer[],
  { idOf }: Brokers,
): number {
  const said = answers.flatMap(({ node, topicSettings }) => {
    const settings = topicSettings.get(topic);
    return settings ? [{ id: idOf(node), minInSync: settings.minInSync }] : [];
  });
  const enforced = said.find(({ id }) => id === leader);
  if (enforced) return enforced.minInSync;
  return said.length === 0 ? replicas.length : Math.max(...said.map(({ minInSync }) => minInSync));
}

/** Why the partition alone is not healthy. */
export function partitionProblems({ leader, members, inSync, minInSync, doubters, isReassigned }: Partition): string[] {
  return [
    ...(doubters.length > 0 ? [`brokers disagree on its leader: ${doubters.join(', ')}`] : []),
    ...(doubters.length === 0 && leader === undefined ? ['has no leader'] : []),
    ...(inSync.length < members.length ? [`in sync are ${inSync.join(', ') || 'none'}, of ${members.join(', ')}`] : []),
    ...(inSync.length < minInSync ? [`${inSync.length} in sync: its min.insync.replicas is ${minInSync}`] : []),
    ...(isReassigned ? ['is being reassigned'] : []),
  ];
}

/** Over all topics: a line a kind of problem, however many partitions have it. */
export function summaryOf(partitions: readonly Partition[]): string[] {
  const line = (ill: readonly Partition[], what: string, detail: (partition: Partition) => string) =>
    ill.length === 0 ? [] : [`${ill.length} of ${partitions.length} partitions ${what}: ${listed(ill.map(detail))}`];
  const inSyncOf = ({ name, inSync, members }: Partition) =>
    `${name} (in sync ${inSync.join(' ') || 'none'} of ${members.length})`;
  return [
    ...line(
      partitions.filter(({ leader }) => leader === undefined),
      'have no certain leader',
      ({ name }) => name,
    ),
    ...line(
      partitions.filter(({ inSync, members }) => inSync.length < members.length),
      'are under-replicated',
      inSyncOf,
    ),
    ...line(
      partitions.filter(({ inSync, minInSync }) => inSync.length < minInSync),
      'have fewer in sync than min.insync.replicas',
      ({ name, inSync, minInSync }) => `${name} (${inSync.length} of ${minInSync})`,
    ),
    ...line(
      partitions.filter(({ isReassigned }) => isReassigned),
      'are being reassigned',
      ({ name }) => name,
    ),
  ];
}

const LISTED = 5;
/** The first few by name. */
export function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return [...names.slice(0, LISTED), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}
