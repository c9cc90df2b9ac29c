import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { type Client, types } from 'cassandra-driver';
import { commandOn } from '../../../../lab/cli/exec.ts';
import {
  accessTo,
  nodeClient,
  type RingAccess,
  ringClient,
  withClient,
} from '../../../../lab/fleet/cassandra/clients.ts';
import { silentBy } from '../../../../lab/fleet/cassandra/health.ts';
import { CLIENT_PORT, ORDERS_RING } from '../../../../lab/fleet/cassandra/hosts.ts';
import { readStoreKeys } from '../../../../lab/fleet/store-keys.ts';
import { readLab } from '../../../../lab/runtime/lab-file.ts';

/** Asks the nodes from the network of the lab's functions: this file is its own child there. */

const keys = () => readStoreKeys(process.env.LAB_DIRECTORY ?? '');
const [first, , last] = ORDERS_RING.hosts;
if (first === undefined || last === undefined) throw new Error('no host');

function access(user: string, change: Partial<RingAccess> = {}): RingAccess {
  return { ...accessTo(ORDERS_RING, 'dc1', keys().user(user), keys()), ...change };
}

const run = (statement: string) => (user: string) =>
  withClient(nodeClient(access(user), first), async (client) => (await client.execute(statement)).rowLength ?? 0);

/** Of whatever nodes there are, at QUORUM. */
const orders = (use: (client: Client) => Promise<unknown>) => (user: string) =>
  withClient(ringClient(access(user), 'tuned'), use);
const QUORUM = { prepare: true, consistency: types.consistencies.quorum };

const QUESTIONS = {
  /** Node → whom it does not hear; a node that does not answer is undefined. */
  silent: async () => {
    const views = ORDERS_RING.hosts.map(async (host) => [
      host.name,
      await silentBy(ORDERS_RING, host, keys()).catch(() => null),
    ]);
    return Object.fromEntries(await Promise.all(views));
  },
  'see heartbeats': run('SELECT address FROM system_views.gossip_info'),
  'see hints': run('SELECT * FROM system_views.pending_hints'),
  'see peers': run('SELECT peer FROM system.peers_v2'),
  'read orders': run('SELECT * FROM orders.by_key LIMIT 1'),
  'write orders': run("INSERT INTO orders.by_key (key, value) VALUES ('test', 'v')"),
  'write the probe': run("INSERT INTO holdfast_probe.probe (key, value) VALUES ('test', 'v')"),
  'drop the probe': run('DROP TABLE holdfast_probe.probe'),
  'change a keyspace': run(
    "ALTER KEYSPACE orders WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
  ),
  'make a role': run("CREATE ROLE other WITH PASSWORD = 'x' AND LOGIN = true"),
  'read the logins': run('SELECT * FROM system_auth.roles'),
  'log in with a wrong password': (user: string) =>
    withClient(nodeClient(access(user, { user: { username: user, password: 'wrong' } }), first), async () => 'in'),
  /** Not of the node that has let it in before: logins are remembered for a minute. */
  'log in as born': () =>
    withClient(
      nodeClient(access('', { user: { username: 'cassandra', password: 'cassandra' } }), last),
      async () => 'in',
    ),
  'trust nobody': (user: string) =>
    withClient(nodeClient({ ...access(user), ca: keys().certificate('client').certificate }, first), async () => 'in'),
  'speak plain text': () => plainText(first.dataAddress),
  'write and read an order': orders(async (client) => {
    const value = String(Date.now());
    await client.execute('INSERT INTO orders.by_key (key, value) VALUES (?, ?)', ['kept', value], QUORUM);
    const { rows } = await client.execute('SELECT value FROM orders.by_key WHERE key = ?', ['kept'], QUORUM);
    return rows[0]?.value === value;
  }),
} satisfies Record<string, (user: string) => Promise<unknown>>;
export type Question = keyof typeof QUESTIONS;

/** OPTIONS of the CQL protocol. A node that takes it answers with SUPPORTED. */
function plainText(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(CLIENT_PORT, address, () => socket.write(Buffer.from('040000000500000000', 'hex')));
    socket.setTimeout(3_000, () => socket.destroy(new Error('no answer')));
    // The sixth opcode, 0x06, is SUPPORTED.
    socket.once('data', (data) => resolve(data[4] === 6 ? 'taken' : `answered with opcode ${data[4]}`));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an answer')));
  });
}

/** @returns of each question its answer, or `refused: ` and why. */
export async function askAll(directory: string, user: string, ...questions: Question[]): Promise<unknown[]> {
  const argv = commandOn(readLab(directory), 'vpc', [process.execPath, import.meta.filename, user, ...questions]);
  const [program = '', ...rest] = argv;
  const env = { ...process.env, LAB_DIRECTORY: directory };
  const { stdout } = await promisify(execFile)(program, rest, { env, timeout: 50_000 });
  return JSON.parse(stdout);
}

if (process.argv[1] === import.meta.filename) {
  const [user = '', ...questions] = process.argv.slice(2);
  const answers = questions.map((question) =>
    QUESTIONS[question as Question](user).catch((error: unknown) =>
      error instanceof Error ? `refused: ${error.name} ${error.message}` : String(error),
    ),
  );
  process.stdout.write(JSON.stringify(await Promise.all(answers)), () => process.exit(0));
}
