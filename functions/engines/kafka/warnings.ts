import { listed, type Partition } from './partitions.ts';
import type { BrokerAnswer } from './views.ts';

/** What makes a fault more dangerous than it need be, and is the operator's choice. */
export function warningsOf(answers: readonly BrokerAnswer[], partitions: readonly Partition[]): string[] {
  const topics = new Map(answers.flatMap(({ topicSettings }) => [...topicSettings]));
  const having = (wanted: (name: string) => boolean) => [...topics.keys()].filter(wanted).sort();
  const unclean = having((name) => topics.get(name)?.allowsUncleanLeaders === true);
  const loose = new Set(
    partitions.filter(({ members, minInSync }) => members.length >= 3 && minInSync < 2).map(({ topic }) => topic),
  );
  const unthrottled = having((name) => topics.get(name)?.isThrottled === false);
  const free = answers.filter(({ settings }) => !isThrottled(settings)).map(({ node }) => node);
  return [
    ...(free.length === 0
      ? []
      : [
          `no replication throttle (leader.replication.throttled.rate, follower.replication.throttled.rate) on ${listed(free)}: a broker that comes back takes all the bandwidth there is`,
        ]),
    ...(free.length > 0 || unthrottled.length === 0
      ? []
      : [
          `the replication throttle holds for none of ${listed(unthrottled)} (leader.replication.throttled.replicas, follower.replication.throttled.replicas)`,
        ]),
    ...(unclean.length === 0
      ? []
      : [`unclean.leader.election.enable is true, so acknowledged records may be lost, for ${listed(unclean)}`]),
    ...(loose.size === 0
      ? []
      : [`min.insync.replicas is 1, so a record may be acknowledged by one broker alone, for ${listed([...loose])}`]),
  ];
}

function isThrottled(settings: BrokerAnswer['settings']): boolean {
  return ['leader', 'follower'].every((role) => settings[`${role}.replication.throttled.rate`] !== undefined);
}
