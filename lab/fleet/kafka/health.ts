import { Admin, type ClusterPartitionMetadata, describeQuorumV2 } from '@platformatic/kafka';
import { waitFor } from '../../shared/wait-for.ts';
import type { StoreKeys } from '../engine.ts';
import { CLIENT } from '../store-keys.ts';
import { announcedAs, CLIENT_PORT, hostOfNode, KAFKA_HOSTS } from './hosts.ts';
import { accessControl } from './rights.ts';
import { assignments, TOPICS } from './topics.ts';
import { BROKER } from './users.ts';

const READY_TIMEOUT_SECONDS = 45;
const REQUEST_TIMEOUT_MS = 2000;
const METADATA_TOPIC = '__cluster_metadata';

/** How clients of the lab connect: with these as anybody, by the names that certificates have. */
export function clientOptions(keys: StoreKeys, user: string) {
  return {
    clientId: `lab-${user}`,
    bootstrapBrokers: KAFKA_HOSTS.map((host) => `${announcedAs(host)}:${CLIENT_PORT}`),
    tls: { ca: keys.certificate(CLIENT).ca },
    tlsServerName: true,
    sasl: { mechanism: 'SCRAM-SHA-512' as const, ...keys.user(user) },
    connectTimeout: 1000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    timeout: REQUEST_TIMEOUT_MS,
    metadataMaxAge: 0,
    retries: 0,
  };
}

/** @throws Error with the words of the broker that refused, not of the client that gave up. */
export async function withAdmin<T>(
  keys: StoreKeys,
  use: (admin: Admin) => Promise<T>,
  user: string = BROKER,
): Promise<T> {
  const admin = new Admin(clientOptions(keys, user));
  try {
    return await use(admin);
  } catch (error) {
    throw innermost(error);
  } finally {
    await admin.close().catch(() => undefined);
  }
}

function innermost(error: unknown): unknown {
  const inner =
    error instanceof AggregateError ? error.errors.at(-1) : error instanceof Error ? error.cause : undefined;
  return inner === undefined ? error : innermost(inner);
}

/** Of one partition, by names of hosts. */
export interface PartitionHealth {
  topic: string;
  partition: number;
  /** Absent while none leads. */
  leader?: string;
  replicas: string[];
  inSync: string[];
}

/** What the brokers say of the lab's own topics. @throws Error when none answers */
export function partitions(keys: StoreKeys, topics: readonly string[] = TOPICS): Promise<PartitionHealth[]> {
  return withAdmin(keys, async (admin) => {
    const metadata = await admin.metadata({ topics: [...topics], forceUpdate: true });
    return [...metadata.topics].flatMap(([topic, { partitions: all }]) =>
      all.map((each, partition) => ({ topic, partition, ...named(each) })),
    );
  });
}

function named({ leader, replicas, isr }: ClusterPartitionMetadata): Omit<PartitionHealth, 'topic' | 'partition'> {
  const names = (ids: number[]) => ids.map((id) => hostOfNode(id).name);
  return { ...(leader > 0 && { leader: hostOfNode(leader).name }), replicas: names(replicas), inSync: names(isr) };
}

/** The host whose controller leads the quorum. @throws Error while none does */
export function quorumLeader(keys: StoreKeys): Promise<string> {
  return withAdmin(keys, async (admin) => {
    const [connection] = (await admin.connectToBrokers()).values();
    if (connection === undefined) throw new Error('no broker answers');
    const question = [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }];
    const answer = await describeQuorumV2.api.async(connection, question);
    return hostOfNode(answer.topics[0]?.partitions[0]?.leaderId ?? 0).name;
  });
}

/** All brokers are registered and unfenced. @throws Error with who is missing */
export async function waitForBrokers(keys: StoreKeys): Promise<void> {
  await waitFor('brokers', READY_TIMEOUT_SECONDS, () =>
    withAdmin(keys, async (admin) => {
      const { brokers } = await admin.metadata({ topics: [], forceUpdate: true });
      const there = [...brokers.keys()].map((id) => hostOfNode(id).name);
      const missing = KAFKA_HOSTS.filter(({ name }) => !there.includes(name)).map(({ name }) => name);
      return missing.length === 0 ? undefined : `${missing.join(', ')} not registered`;
    }),
  );
}

/** Topics and rights. A second time changes nothing: a busy machine may lose the first answer. */
export async function setUpCluster(keys: StoreKeys): Promise<void> {
  await waitFor('topics and rights', READY_TIMEOUT_SECONDS, () =>
    withAdmin(keys, async (admin) => {
      const there = await admin.listTopics();
      const topics = TOPICS.filter((topic) => !there.includes(topic));
      if (topics.length > 0) await admin.createTopics({ topics: [...topics], assignments: assignments() });
      await admin.createAcls({ creations: accessControl() });
      return undefined;
    }),
  );
}

/** @returns the first partition that is not as it should be, in words */
export function replicationProblem(all: readonly PartitionHealth[]): string | undefined {
  const wanted = TOPICS.length * KAFKA_HOSTS.length;
  if (all.length !== wanted) return `${all.length} of ${wanted} partitions`;
  for (const { topic, partition, leader, replicas, inSync } of all) {
    if (leader === undefined) return `${topic}-${partition} has no leader`;
    if (inSync.length < replicas.length) return `${topic}-${partition}: ${inSync.length} of ${replicas.length} in sync`;
  }
  return undefined;
}

/** Every replica is in sync. @throws Error with the first that is not */
export async function waitForReplication(keys: StoreKeys, timeoutSeconds = READY_TIMEOUT_SECONDS): Promise<void> {
  await waitFor('replicas', timeoutSeconds, async () => replicationProblem(await partitions(keys)));
}
