import type { StoreKeys } from '../engine.ts';
import { APPLICATION } from '../store-keys.ts';
import type { Ring } from './hosts.ts';
import { BORN, FUNCTIONS } from './users.ts';

export const ORDERS = 'orders';
/** The product's own. */
export const PROBE = 'holdfast_probe';
/** Rows by key, of the gateways. */
export const ORDERS_TABLE = `${ORDERS}.by_key`;

/** Lost together with a node, logins would be too: every node has them. */
const SYSTEM = ['system_auth', 'system_distributed', 'system_traces'] as const;

/** What the product reads, by docs/engines/cassandra.md. `system`, `system_schema` and the virtual schema every user may read. */
const SEEN = ['system_views'] as const;

function replication({ datacenters }: Pick<Ring, 'datacenters'>): string {
  const copies = Object.entries(datacenters).map(([name, count]) => `'${name}': ${count}`);
  return `{'class': 'NetworkTopologyStrategy', ${copies.join(', ')}}`;
}

/** What the cluster is to hold, in this order; a second time changes nothing. */
export function schemaOf(ring: Pick<Ring, 'datacenters'>): string[] {
  const copies = replication(ring);
  return [
    ...SYSTEM.map((keyspace) => `ALTER KEYSPACE ${keyspace} WITH replication = ${copies}`),
    ...[ORDERS, PROBE].map((keyspace) => `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${copies}`),
    `CREATE TABLE IF NOT EXISTS ${ORDERS_TABLE} (key text PRIMARY KEY, value text)`,
    `CREATE TABLE IF NOT EXISTS ${PROBE}.probe (key text PRIMARY KEY, value text)`,
  ];
}

/** Roles and what they may do. */
export function rightsOf(keys: Pick<StoreKeys, 'user'>): string[] {
  const role = (name: string) =>
    `CREATE ROLE IF NOT EXISTS ${name} WITH LOGIN = true AND PASSWORD = '${keys.user(name).password}'`;
  const grant = (right: string, keyspace: string, name: string) => `GRANT ${right} ON KEYSPACE ${keyspace} TO ${name}`;
  return [
    role(APPLICATION),
    role(FUNCTIONS),
    ...['SELECT', 'MODIFY'].map((right) => grant(right, ORDERS, APPLICATION)),
    ...['SELECT', 'MODIFY'].map((right) => grant(right, PROBE, FUNCTIONS)),
    ...SEEN.map((keyspace) => grant('SELECT', keyspace, FUNCTIONS)),
    `ALTER ROLE ${BORN.username} WITH SUPERUSER = false AND LOGIN = false`,
  ];
}
