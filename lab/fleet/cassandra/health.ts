import { setTimeout as delay } from 'node:timers/promises';
import { type Client, types } from 'cassandra-driver';
import { waitFor } from '../../shared/wait-for.ts';
import type { LabHost, StoreKeys, StoreUser } from '../engine.ts';
import { accessTo, nodeClient, withClient } from './clients.ts';
import type { CassandraHost, Ring } from './hosts.ts';
import { rightsOf, schemaOf } from './schema.ts';
import { ADMINISTRATOR, BORN } from './users.ts';

const READY_TIMEOUT_SECONDS = 60;
/** Who has missed a change of the schema asks for it 60 s later (`MIGRATION_DELAY` of Cassandra). */
const SCHEMA_TIMEOUT_SECONDS = 90;
/** A node tells one other a second what it has heard: a heartbeat may take some rounds to all of them. */
const GOSSIP_MS = 1_000;
const HEARD_WITHIN_ROUNDS = 4;
const GOSSIP = 'SELECT address, status_with_port, heartbeat FROM system_views.gossip_info';

/** What one node has heard of the ring: address → heartbeat of those whose state is NORMAL. */
type Heartbeats = ReadonlyMap<string, number>;

function asked<T>(
  ring: Ring,
  host: CassandraHost,
  keys: StoreKeys,
  user: StoreUser,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return withClient(nodeClient(accessTo(ring, host.datacenter, user, keys), host), use);
}

/** @param user absent: the super user of the lab */
export function asking<T>(
  ring: Ring,
  host: CassandraHost,
  keys: StoreKeys,
  use: (client: Client) => Promise<T>,
  user: string = ADMINISTRATOR,
): Promise<T> {
  return asked(ring, host, keys, keys.user(user), use);
}

/**
 * Nodes of the ring that a node does not see alive, by names. A node that has stopped still is NORMAL: only a heartbeat
 * that moves is one.
 */
export function silentNodes(hosts: readonly LabHost[], before: Heartbeats, after: Heartbeats): string[] {
  const moved = ({ dataAddress }: LabHost): boolean =>
    (after.get(dataAddress) ?? 0) > (before.get(dataAddress) ?? Number.POSITIVE_INFINITY);
  return hosts.filter((host) => !moved(host)).map(({ name }) => name);
}

async function heartbeats(client: Client): Promise<Heartbeats> {
  const { rows } = await client.execute(GOSSIP);
  const normal = rows.filter((row) => String(row.status_with_port).startsWith('NORMAL'));
  return new Map(normal.map((row) => [String(row.address), Number(row.heartbeat)]));
}

/** Who is silent, by the view of this node. @throws Error when it does not answer */
export function silentBy(
  ring: Ring,
  host: CassandraHost,
  keys: StoreKeys,
  user = keys.user(ADMINISTRATOR),
): Promise<string[]> {
  return asked(ring, host, keys, user, async (client) => {
    const before = await heartbeats(client);
    let silent: string[] = [];
    for (let round = 0; round < HEARD_WITHIN_ROUNDS; round += 1) {
      await delay(GOSSIP_MS);
      silent = silentNodes(ring.hosts, before, await heartbeats(client));
      if (silent.length === 0) break;
    }
    return silent;
  });
}

/** A super user of the lab's own, made by the one that the cluster is born with. @throws Error when no node lets it in */
export async function waitForLogin(ring: Ring, keys: StoreKeys): Promise<void> {
  const { username, password } = keys.user(ADMINISTRATOR);
  const made = `CREATE ROLE IF NOT EXISTS ${username} WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = '${password}'`;
  const [host] = ring.hosts;
  if (host === undefined) throw new Error(`${ring.cluster} has no hosts`);
  await waitFor('login', READY_TIMEOUT_SECONDS, async () => {
    // With datacenters a login is looked for on one node alone, and who is away now would have it only later.
    const absent = Object.keys(ring.datacenters).length > 1 ? await silentBy(ring, host, keys, BORN) : [];
    if (absent.length > 0) return `${host.name} does not hear ${absent.join(', ')}`;
    try {
      await asked(ring, host, keys, BORN, (client) => client.execute(made));
    } catch {
      // It may have been made, and the other one shut out, by a try whose answer was lost.
      await asking(ring, host, keys, async () => undefined);
    }
    return undefined;
  });
}

/** Keyspaces, tables, roles and rights. A second time changes nothing: a busy machine may lose the first answer. */
export async function setUpCluster(ring: Ring, keys: StoreKeys): Promise<void> {
  const [host] = ring.hosts;
  if (host === undefined) throw new Error(`${ring.cluster} has no hosts`);
  await waitFor('schema and rights', SCHEMA_TIMEOUT_SECONDS, () =>
    asking(ring, host, keys, async (client) => {
      for (const statement of [...schemaOf(ring), ...rightsOf(keys)])
        await client.execute(statement, [], { consistency: types.consistencies.quorum });
      return (await schemasOf(client)).size === 1 ? undefined : 'nodes have different schemas';
    }),
  );
}

/** Versions that nodes have, as one of them has heard. */
async function schemasOf(client: Client): Promise<ReadonlySet<string>> {
  const own = await client.execute('SELECT schema_version FROM system.local');
  const peers = await client.execute('SELECT schema_version FROM system.peers_v2');
  return new Set([...own.rows, ...peers.rows].map((row) => String(row.schema_version)));
}

/** Every node hears every other one. @throws Error with the first view that lacks one */
export async function waitForRing(ring: Ring, keys: StoreKeys, user = keys.user(ADMINISTRATOR)): Promise<void> {
  await Promise.all(
    ring.hosts.map((host) =>
      waitFor(host.name, READY_TIMEOUT_SECONDS, async () => {
        const silent = await silentBy(ring, host, keys, user);
        return silent.length === 0 ? undefined : `${host.name} does not hear ${silent.join(', ')}`;
      }),
    ),
  );
}
