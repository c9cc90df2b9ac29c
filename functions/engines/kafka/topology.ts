import type { LiveNode } from '../../domain/targets.ts';
import type { StoreTopology } from '../../domain/topology.ts';
import { brokersOf } from './brokers.ts';
import { type KafkaCluster, logDirectoriesOf } from './configuration.ts';
import { groupOf } from './groups.ts';
import { listed, partitionsOf, summaryOf } from './partitions.ts';
import { ELECT, leadingNone, probedShardsOf, probeTopicProblems } from './probe-topic.ts';
import { quorumOf } from './quorum.ts';
import { RIGHTS } from './rights.ts';
import type { BrokerAnswer, BrokerView } from './views.ts';
import { warningsOf } from './warnings.ts';

/**
 * One picture from what all brokers say. Healthy means that everybody answers and nobody disagrees, that every replica of
 * every topic is in sync, that every log directory is in use, and that the probe can measure every broker.
 */
export function mergeTopology(
  { kafka, ...cluster }: Pick<KafkaCluster, 'kafka' | 'dataDirectory'>,
  nodes: readonly LiveNode[],
  views: readonly BrokerView[],
): StoreTopology {
  const answers = views.flatMap((view) => ('problem' in view ? [] : [view]));
  const silent = views.flatMap((view) => ('problem' in view ? [view] : []));
  const brokers = brokersOf(nodes, answers);
  const partitions = partitionsOf(answers, brokers);
  const quorum = quorumOf(answers, brokers);
  const probed = probedShardsOf(kafka.probeTopic, partitions);
  const names = nodes.map(({ name }) => name);
  const idle = answers.length === 0 ? [] : leadingNone(probed, names);
  const directories = logDirectoriesOf({ kafka, ...cluster });
  return {
    shards:
      answers.length === 0
        ? []
        : [...probed, quorum.shard, ...kafka.groups.map((group) => groupOf(group, partitions, answers))],
    advertisedAddresses: brokers.addresses,
    silentNodes: silent.map(({ node }) => node),
    problems: [
      ...silent.map(({ node, problem }) => `${node} does not answer: ${problem}`),
      ...brokers.problems,
      ...summaryOf(partitions),
      ...answers.flatMap((answer) => brokerProblems(answer, directories)),
      ...unseenTopics(answers),
      ...(answers.length === 0 ? [] : probeTopicProblems(kafka.probeTopic, partitions, nodes.length)),
    ],
    replicaSets: [
      // First, as the worst to lose: without it no other leader is elected anywhere.
      ...(quorum.replicaSet ? [quorum.replicaSet] : []),
      ...partitions.map(({ topic: _topic, index: _index, doubters: _doubters, ...set }) => set),
    ],
    warnings: [
      ...warningsOf(answers, partitions),
      ...(idle.length === 0 || probed.length === 0
        ? []
        : [`${listed(idle)} leads no partition of ${kafka.probeTopic}: ${ELECT}`]),
    ],
  };
}

/** What one broker says of itself. */
function brokerProblems({ node, problems, logDirectories }: BrokerAnswer, configured: readonly string[]): string[] {
  const reported = logDirectories.map(({ path }) => path);
  return [
    ...problems.map((problem) => `${node} ${problem}`),
    ...logDirectories.flatMap(({ path, error }) =>
      error === undefined ? [] : [`${node} has its log directory ${path} ${error}`],
    ),
    // Who says nothing of them is no worse for it twice.
    ...(reported.length === 0 ? [] : configured)
      .filter((path) => !reported.includes(path))
      .map((path) => `${node} has no log directory ${path} (kafka.logDirectories), but ${reported.join(', ')}`),
  ];
}

/** A list of topics leaves out, without a word, those that one may not see. */
function unseenTopics(answers: readonly BrokerAnswer[]): string[] {
  const seen = new Set(answers.flatMap(({ partitions }) => partitions.map(({ topic }) => topic)));
  const unseen = new Set(answers.flatMap(({ storedTopics }) => storedTopics.filter((topic) => !seen.has(topic))));
  if (unseen.size === 0) return [];
  return [
    `nobody tells of ${unseen.size} topics that are stored, ${listed([...unseen].sort())}: the user has no ACL ${RIGHTS.topics.acl}`,
  ];
}
