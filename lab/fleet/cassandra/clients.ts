import { checkServerIdentity } from 'node:tls';
import { type Client as CassandraClient, Client, type ClientOptions, policies } from 'cassandra-driver';
import type { LabHost, StoreKeys, StoreUser } from '../engine.ts';
import { CLIENT } from '../store-keys.ts';
import { CLIENT_PORT, everyHostOf, nameOf, type Ring } from './hosts.ts';

const { loadBalancing, reconnection, speculativeExecution } = policies;

/**
 * What an application is advised to set: a coordinator that has gone silent costs one request 100 ms, and not twelve
 * seconds. Writes may be made twice, which the same value under the same key survives.
 */
const TUNED = {
  queryOptions: { isIdempotent: true },
  socketOptions: { readTimeout: 1_000, connectTimeout: 1_000, defunctReadTimeoutThreshold: 4 },
  pooling: { heartBeatInterval: 1_000 },
  policies: {
    reconnection: new reconnection.ConstantReconnectionPolicy(1_000),
    speculativeExecution: new speculativeExecution.ConstantSpeculativeExecutionPolicy(100, 2),
  },
} satisfies ClientOptions;
/** `default`: as the driver is where nobody has set anything. */
export const PROFILES = { tuned: TUNED, default: {} } satisfies Record<string, ClientOptions>;
export type Profile = keyof typeof PROFILES;

/** Where a ring is, and who asks it. */
export interface RingAccess {
  /** Those that are asked first. */
  hosts: readonly LabHost[];
  /** Whose certificates are known, also of one that joins later. */
  known: readonly LabHost[];
  datacenter: string;
  user: StoreUser;
  /** Of the ring's hosts. */
  ca: string;
}

export function accessTo(ring: Ring, datacenter: string, user: StoreUser, keys: StoreKeys): RingAccess {
  return { hosts: ring.hosts, known: everyHostOf(ring), datacenter, user, ca: keys.certificate(CLIENT).ca };
}

function optionsOf({ hosts, known, datacenter, user, ca }: RingAccess): ClientOptions {
  return {
    contactPoints: hosts.map(({ dataAddress }) => dataAddress),
    protocolOptions: { port: CLIENT_PORT },
    localDataCenter: datacenter,
    credentials: { ...user },
    sslOptions: {
      ca,
      // By default the driver looks at no certificate, and it knows nodes by address alone.
      rejectUnauthorized: true,
      checkServerIdentity(address, shown) {
        const host = known.find(({ dataAddress }) => dataAddress === address);
        return checkServerIdentity(host ? nameOf(host) : address, shown);
      },
    },
  };
}

/** Of the whole ring, as an application's. It is connected to every node that answers before the first request. */
export function ringClient(access: RingAccess, profile: Profile): CassandraClient {
  return new Client({ ...optionsOf(access), ...PROFILES[profile] });
}

/** Of one node, asked once. */
export function nodeClient(access: RingAccess, { dataAddress }: Pick<LabHost, 'dataAddress'>): CassandraClient {
  const balancing = new loadBalancing.AllowListPolicy(new loadBalancing.RoundRobinPolicy(), [
    `${dataAddress}:${CLIENT_PORT}`,
  ]);
  return new Client({
    ...optionsOf(access),
    contactPoints: [dataAddress],
    socketOptions: { readTimeout: 4_000, connectTimeout: 1_000 },
    pooling: { warmup: false },
    // Each change of a schema would wait for all nodes to have it: one look after the last one does.
    protocolOptions: { port: CLIENT_PORT, maxSchemaAgreementWaitSeconds: 0 },
    policies: { loadBalancing: balancing, retry: new policies.retry.FallthroughRetryPolicy() },
  });
}

/** @throws Error with the words of the node that refused, not of the client that asked all of them. */
export async function withClient<T>(client: CassandraClient, use: (client: CassandraClient) => Promise<T>): Promise<T> {
  try {
    await client.connect();
    return await use(client);
  } catch (error) {
    throw innermost(error);
  } finally {
    await client.shutdown().catch(() => undefined);
  }
}

function innermost(error: unknown): unknown {
  const { innerErrors } = error as { innerErrors?: Record<string, unknown> };
  const [first] = Object.values(innerErrors ?? {});
  return first === undefined ? error : innermost(first);
}
