import {
  apiVersionsV3,
  describeConfigsV4,
  describeLogDirsV4,
  describeQuorumV2,
  listGroupsV5,
  listPartitionReassignmentsV0,
  metadataV12,
} from '@platformatic/kafka';
import type { LiveNode } from '../../domain/targets.ts';
import { isAt } from './brokers.ts';
import { type Ask, askBroker, type BrokerEndpoint, BrokerRefusal, REQUEST_TIMEOUT_MS } from './connection.ts';
import { describeClusterV2 } from './describe-cluster.ts';
import { type Granted, granted, RIGHTS } from './rights.ts';
import {
  type AnnouncedBroker,
  type BrokerAnswer,
  type BrokerView,
  type PartitionView,
  partitionName,
  type QuorumView,
  type TopicSettings,
} from './views.ts';

const METADATA_TOPIC = '__cluster_metadata';
/** As the protocol numbers what a setting is of. */
const TOPIC = 2;
const BROKER = 4;
const BROKER_SETTINGS = ['leader.replication.throttled.rate', 'follower.replication.throttled.rate', 'process.roles'];
const TOPIC_SETTINGS = [
  'min.insync.replicas',
  'unclean.leader.election.enable',
  'leader.replication.throttled.replicas',
  'follower.replication.throttled.replicas',
];
/** Topics in one request. */
const BATCH = 1000;
/** What we ask in the versions in which we ask it, and how a person calls the Kafka that has them. */
const NEEDED = [
  metadataV12.api,
  describeClusterV2,
  describeQuorumV2.api,
  describeLogDirsV4.api,
  describeConfigsV4.api,
  listPartitionReassignmentsV0.api,
  listGroupsV5.api,
];

export type Resolve = (host: string) => Promise<readonly string[]>;

/** The view of one broker. Never rejects: without its metadata it is silent; whatever else it does not tell is a problem. */
export async function readView(node: LiveNode, endpoint: BrokerEndpoint, resolve: Resolve): Promise<BrokerView> {
  try {
    // Of two connections, because a broker answers in order: what it passes on to a silent controller would keep the rest.
    const [own, passedOn] = await Promise.all([
      askBroker(endpoint, (ask) => readOwn(ask, node, resolve)),
      askBroker(endpoint, readPassedOn).catch((error: unknown) => ({
        quorum: { problem: textOf(error) },
        reassigned: [],
        problems: [],
      })),
    ]);
    return { node: node.name, ...own, ...passedOn, problems: [...own.problems, ...passedOn.problems] };
  } catch (error) {
    return { node: node.name, problem: textOf(error) };
  }
}

type Own = Omit<BrokerAnswer, 'node' | 'quorum' | 'reassigned'>;

/** What it knows itself. */
async function readOwn(ask: Ask, node: LiveNode, resolve: Resolve): Promise<Own> {
  await refuseOther(ask);
  const problems: string[] = [];
  const may = granted(problems);
  const [cluster, metadata, directories, groups] = await Promise.all([
    ask(describeClusterV2),
    // A partition without a leader is an error of the whole answer.
    ask(metadataV12.api, null, false, false).catch(answerOf<Metadata>),
    may(RIGHTS.logDirectories, () => ask(describeLogDirsV4.api, null).catch(answerOf<LogDirectories>)),
    may(RIGHTS.groups, () => ask(listGroupsV5.api, [], [])),
  ]);
  const brokers = await Promise.all(
    cluster.brokers.map(
      async ({ brokerId: id, host, port, isFenced }): Promise<AnnouncedBroker> => ({
        ...{ id, host, port, isFenced },
        addresses: await resolve(host),
      }),
    ),
  );
  const id = brokers.find((broker) => isAt(broker, node))?.id;
  const partitions = metadata.topics.flatMap(({ name, partitions: all }) =>
    all.map(
      (each): PartitionView => ({
        ...{ topic: name ?? '', index: each.partitionIndex, leader: each.leaderId, leaderEpoch: each.leaderEpoch },
        ...{ replicas: each.replicaNodes, inSync: each.isrNodes },
      }),
    ),
  );
  const replicated = partitions.filter(({ replicas }) => id !== undefined && replicas.includes(id));
  const [settings, topicSettings] = await Promise.all([
    id === undefined ? {} : readSettings(ask, id, may, problems),
    readTopicSettings(ask, [...new Set(replicated.map(({ topic }) => topic))], may),
  ]);
  const storage = directories?.results ?? [];
  return {
    ...{ brokers, partitions, settings, topicSettings, problems },
    logDirectories: storage.map(({ logDir: path, errorCode }) =>
      errorCode === 0 ? { path } : { path, error: 'offline' },
    ),
    storedTopics: [...new Set(storage.flatMap(({ topics }) => topics.map(({ name }) => name)))],
    groups: new Map((groups?.groups ?? []).map(({ groupId, groupState }) => [groupId, groupState])),
  };
}

/** What it passes on to the controller that it knows, and so nobody answers while there is none. */
async function readPassedOn(ask: Ask): Promise<Pick<BrokerAnswer, 'quorum' | 'reassigned' | 'problems'>> {
  const problems: string[] = [];
  const may = granted(problems);
  const quorum = await readQuorum(ask).catch((error: unknown) => ({
    problem: RIGHTS.quorum.missing(error) ?? textOf(error),
  }));
  // It would say nothing to this either.
  if ('problem' in quorum) return { quorum, reassigned: [], problems };
  const moving = await may(RIGHTS.reassignments, () => ask(listPartitionReassignmentsV0.api, REQUEST_TIMEOUT_MS, null));
  const reassigned = (moving?.topics ?? []).flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex: index }) => partitionName({ topic: name, index })),
  );
  return { quorum, reassigned, problems };
}

/** @throws Error for a broker that is no Kafka with KRaft, or one that is too old to tell what we need to know */
async function refuseOther(ask: Ask): Promise<void> {
  const { apiKeys } = await ask(apiVersionsV3.api, 'holdfast', '1');
  const offers = (key: number, version: number) =>
    apiKeys.some(
      ({ apiKey, minVersion, maxVersion }) => apiKey === key && minVersion <= version && version <= maxVersion,
    );
  if (!apiKeys.some(({ apiKey }) => apiKey === describeQuorumV2.api.key))
    throw new Error('it has no metadata quorum and runs with ZooKeeper: Kafka is supported with KRaft only');
  if (!NEEDED.every(({ key, version }) => offers(key, version)))
    throw new Error('it does not know what is asked of it: Kafka 4.0 or newer is supported');
}

/** @throws Error of the broker; whoever is not answered by a controller gives none */
export async function readQuorum(ask: Ask): Promise<QuorumView> {
  const request = [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }];
  const [partition] = (await ask(describeQuorumV2.api, request)).topics.flatMap(({ partitions }) => partitions);
  if (!partition) throw new Error(`there is no ${METADATA_TOPIC}`);
  const { leaderId, leaderEpoch, currentVoters } = partition;
  // By the leader's clock, which is its own entry's.
  const now = currentVoters.find(({ replicaId }) => replicaId === leaderId)?.lastFetchTimestamp ?? 0n;
  return {
    ...{ leader: leaderId, epoch: leaderEpoch },
    voters: currentVoters.map(({ replicaId, lastFetchTimestamp }) => ({
      id: replicaId,
      silentMs: lastFetchTimestamp < 0n ? Number.POSITIVE_INFINITY : Number(now - lastFetchTimestamp),
    })),
  };
}

async function readSettings(ask: Ask, id: number, may: Granted, problems: string[]): Promise<Record<string, string>> {
  const request = [{ resourceType: BROKER, resourceName: String(id), configurationKeys: BROKER_SETTINGS } as const];
  const answer = await may(RIGHTS.brokerSettings, () =>
    ask(describeConfigsV4.api, request).catch((error: unknown) => {
      if (!(error instanceof BrokerRefusal) || !error.codes.includes('INVALID_REQUEST')) throw error;
      problems.push(`is announced as broker ${id}, but another answers there (advertised.listeners)`);
      return undefined;
    }),
  );
  return valuesOf(answer?.results[0]);
}

async function readTopicSettings(
  ask: Ask,
  topics: readonly string[],
  may: Granted,
): Promise<Map<string, TopicSettings>> {
  const found = new Map<string, TopicSettings>();
  for (let first = 0; first < topics.length; first += BATCH) {
    const request = topics
      .slice(first, first + BATCH)
      .map((resourceName) => ({ resourceType: TOPIC, resourceName, configurationKeys: TOPIC_SETTINGS }) as const);
    const answer = await may(RIGHTS.topicSettings, () =>
      ask(describeConfigsV4.api, request).catch((error: unknown) => {
        // A topic may be gone by now.
        if (RIGHTS.topicSettings.missing(error) !== undefined) throw error;
        return answerOf<TopicConfigs>(error);
      }),
    );
    for (const result of answer?.results ?? []) {
      if (result.errorCode !== 0) continue;
      const values = valuesOf(result);
      const minInSync = Number(values['min.insync.replicas']);
      if (!(minInSync >= 1)) continue;
      found.set(result.resourceName, {
        minInSync,
        allowsUncleanLeaders: values['unclean.leader.election.enable'] === 'true',
        isThrottled: TOPIC_SETTINGS.slice(2).every((name) => (values[name] ?? '') !== ''),
      });
    }
  }
  return found;
}

function valuesOf(
  result: { configs: { name: string; value?: string | null | undefined }[] } | undefined,
): Record<string, string> {
  return Object.fromEntries(
    (result?.configs ?? []).flatMap(({ name, value }) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}

type Metadata = Awaited<ReturnType<typeof metadataV12.api.async>>;
type TopicConfigs = Awaited<ReturnType<typeof describeConfigsV4.api.async>>;
type LogDirectories = Awaited<ReturnType<typeof describeLogDirsV4.api.async>>;

/** The library takes an error in one entry for one of the whole answer. */
function answerOf<A extends object>(error: unknown): A {
  const response = error instanceof BrokerRefusal ? (error.response as A | undefined) : undefined;
  if (response === undefined || ('errorCode' in response && response.errorCode !== 0)) throw error;
  return response;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
