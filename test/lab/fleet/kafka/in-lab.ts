import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Admin, ConfigResourceTypes, describeQuorumV2, Producer } from '@platformatic/kafka';
import { commandOn } from '../../../../lab/cli/exec.ts';
import {
  clientOptions,
  partitions,
  quorumLeader,
  waitForReplication,
  withAdmin,
} from '../../../../lab/fleet/kafka/health.ts';
import { BROKER } from '../../../../lab/fleet/kafka/users.ts';
import { readStoreKeys } from '../../../../lab/fleet/store-keys.ts';
import { readLab } from '../../../../lab/runtime/lab-file.ts';

/** Asks the brokers from the network of the lab's functions: this file is its own child there. */

const admin = (use: (admin: Admin) => Promise<unknown>) => (user: string) => withAdmin(keys(), use, user);
const keys = () => readStoreKeys(process.env.LAB_DIRECTORY ?? '');

async function produce(user: string, topic: string, change: object = {}): Promise<unknown> {
  const producer = new Producer({ ...clientOptions(keys(), user), ...change });
  try {
    const message = { topic, key: Buffer.from('k'), value: Buffer.from('v') };
    return (await producer.send({ messages: [message], acks: -1, idempotent: false })).offsets?.length;
  } finally {
    await producer.close().catch(() => undefined);
  }
}

const QUESTIONS = {
  partitions: () => partitions(keys()),
  quorumLeader: () => quorumLeader(keys()),
  replicated: () => waitForReplication(keys(), 30),
  'produce to orders': (user: string) => produce(user, 'orders'),
  'produce to the probe': (user: string) => produce(user, 'holdfast-probe'),
  'make a topic': admin((to) => to.createTopics({ topics: ['new'], partitions: 1, replicas: 1 })),
  'delete orders': admin((to) => to.deleteTopics({ topics: ['orders'] })),
  'change a broker': admin((to) =>
    to.incrementalAlterConfigs({
      resources: [
        {
          resourceType: ConfigResourceTypes.BROKER,
          resourceName: '1',
          configs: [{ name: 'log.cleaner.threads', configOperation: 0, value: '2' }],
        },
      ],
    }),
  ),
  'read the rights': admin((to) =>
    to.describeAcls({
      filter: {
        ...{ resourceType: 1, resourceName: null, resourcePatternType: 1 },
        ...{ principal: null, host: null, operation: 1, permissionType: 1 },
      },
    }),
  ),
  'see the topics': admin(async (to) => (await to.listTopics()).sort()),
  'see the configuration': admin(async (to) => {
    const resources = [{ resourceType: ConfigResourceTypes.BROKER, resourceName: '1', configurationKeys: ['node.id'] }];
    return (await to.describeConfigs({ resources }))[0]?.configs.map(({ value }) => value);
  }),
  'see the quorum': admin(async (to) => {
    const [connection] = (await to.connectToBrokers()).values();
    if (connection === undefined) return undefined;
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];
    return (await describeQuorumV2.api.async(connection, topics)).topics[0]?.partitions[0]?.currentVoters.length;
  }),
  'log in with a wrong password': (user: string) =>
    produce(user, 'orders', { sasl: { mechanism: 'SCRAM-SHA-512', username: user, password: 'wrong' } }),
  'speak plain text': (user: string) => produce(user, 'orders', { tls: undefined, tlsServerName: undefined }),
  'speak without a login': (user: string) => produce(user, 'orders', { sasl: undefined }),
  'trust nobody': (user: string) => produce(user, 'orders', { tls: {} }),
} satisfies Record<string, (user: string) => Promise<unknown>>;
export type Question = keyof typeof QUESTIONS;

/** @returns of each question its answer, or `refused: ` and everything that was said about it. */
export async function askAll(directory: string, user: string, ...questions: Question[]): Promise<unknown[]> {
  const argv = commandOn(readLab(directory), 'vpc', [process.execPath, import.meta.filename, user, ...questions]);
  const [program = '', ...rest] = argv;
  const env = { ...process.env, LAB_DIRECTORY: directory };
  const { stdout } = await promisify(execFile)(program, rest, { env, timeout: 50_000 });
  return JSON.parse(stdout);
}

export async function ask(directory: string, question: Question): Promise<unknown> {
  return (await askAll(directory, BROKER, question))[0];
}

function words(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const inner = error instanceof AggregateError ? error.errors : error.cause === undefined ? [] : [error.cause];
  return [`${error.message} ${(error as { apiId?: string }).apiId ?? ''}`, ...inner.flatMap(words)];
}

if (process.argv[1] === import.meta.filename) {
  const [user = '', ...questions] = process.argv.slice(2);
  const answers = questions.map((question) =>
    QUESTIONS[question as Question](user).catch((error: unknown) => `refused: ${words(error).join(' | ')}`),
  );
  process.stdout.write(JSON.stringify(await Promise.all(answers)), () => process.exit(0));
}
