import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';
import { type ShardStore, StoreTimeout, type StoreUser } from '../engine.ts';

export interface ShardLogin {
  store: StoreUser;
  sentinel: StoreUser;
  tls: ConnectionOptions | undefined;
}

export interface ShardAddress {
  /** Sentinel's name of the master. */
  shard: string;
  sentinels: { host: string; port: number }[];
}

/**
 * Longest life of a command. Above the 200 ms at which the guard calls writes slow, so that a slow store shows as
 * latency before it shows as errors; short enough that a dead shard holds few of the gateway's workers.
 */
const COMMAND_TIMEOUT_MS = 300;
const RECONNECT_DELAY_MS = 100;
const CONNECT_TIMEOUT_MS = 500;
/**
 * A connection on which commands have timed out for this long, and none was answered, is given up and Sentinel asked
 * again: the way out for a client that missed the announcement of a failover. Longer than a hiccup of a busy machine.
 */
const SILENCE_BEFORE_RECONNECT_MS = 2_000;

/** How the gateways' clients are set: for a short recovery, or as the library comes. */
const CLIENTS = ['tuned', 'default'] as const;
type ClientName = (typeof CLIENTS)[number];
export const CLIENT_VARIABLE = 'LAB_REDIS_CLIENT';

/** @throws Error naming what there is. */
export function clientNamed(value: string = 'tuned'): ClientName {
  const client = CLIENTS.find((name) => name === value);
  if (client === undefined)
    throw new Error(`${CLIENT_VARIABLE}: ${JSON.stringify(value)} is none of ${CLIENTS.join(', ')}`);
  return client;
}

/** ioredis' error of a command that outlived COMMAND_TIMEOUT_MS. */
function isTimeout(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Command timed out';
}

/**
 * Follows a shard's master through Sentinel. `failoverDetector` listens to every Sentinel for `+switch-master`: without
 * it a client stays on an isolated master for as long as TCP is patient. Nothing is queued or sent twice: a command
 * without a connection fails at once, and its caller is told so.
 *
 * @param client `default`: it listens to no Sentinel, and waits for an answer for as long as it takes
 */
export function connectShard(
  address: ShardAddress,
  { store, sentinel, tls }: ShardLogin,
  client: ClientName = 'tuned',
): Redis {
  const redis = new Redis({
    name: address.shard,
    sentinels: address.sentinels,
    ...store,
    sentinelUsername: sentinel.username,
    sentinelPassword: sentinel.password,
    ...(tls ? { tls, sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
    // The known Sentinels stay in the order given; learnt addresses would put an isolated one in front.
    updateSentinels: false,
    ...(client === 'tuned' ? { failoverDetector: true, commandTimeout: COMMAND_TIMEOUT_MS } : {}),
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // How long a closed connection may wait for a peer that cannot answer any more.
    disconnectTimeout: RECONNECT_DELAY_MS,
    retryStrategy: () => RECONNECT_DELAY_MS,
    sentinelRetryStrategy: () => RECONNECT_DELAY_MS,
    sentinelReconnectStrategy: () => 5_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // A demoted master answers READONLY: the connection is to the wrong node.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  // Reported through the commands that fail; an unheard 'error' event would end the process.
  redis.on('error', () => undefined);
  // ioredis gives up for good when a failover is announced while it is connecting; a gateway must not.
  redis.on('end', () => setTimeout(() => redis.connect().catch(() => undefined), RECONNECT_DELAY_MS));
  return redis;
}

/** A shard over its Redis client, whose connection is given up when it stays without answers. */
export function shardStore(
  redis: Pick<Redis, 'set' | 'get' | 'disconnect'>,
  monotonicMs: () => number = () => performance.now(),
): ShardStore {
  let silentSinceMs: number | undefined;
  async function watched<T>(command: Promise<T>): Promise<T> {
    try {
      const answer = await command;
      silentSinceMs = undefined;
      return answer;
    } catch (error) {
      if (!isTimeout(error)) {
        silentSinceMs = undefined;
        throw error;
      }
      if (silentSinceMs === undefined) {
        silentSinceMs = monotonicMs();
      } else if (monotonicMs() - silentSinceMs >= SILENCE_BEFORE_RECONNECT_MS) {
        silentSinceMs = undefined;
        redis.disconnect(true);
      }
      throw new StoreTimeout(error);
    }
  }
  return {
    set: async (key, value) => {
      await watched(redis.set(key, value));
      return undefined;
    },
    get: (key) => watched(redis.get(key)),
  };
}
