import { Redis } from 'ioredis';
import type { StoreCredentials } from '../engine.ts';

/** Connecting and each command, milliseconds. */
const REDIS_TIMEOUT_MS = 700;

export interface RedisEndpoint {
  /** Addresses of one node; the first to answer is used. */
  addresses: readonly string[];
  port: number;
  tls: boolean;
  credentials: StoreCredentials;
}

/**
 * Asks one Redis or Sentinel process over a connection of its own, without retries, and always hangs up.
 * @throws Error of the first address when none answers in time.
 */
export async function askRedis<T>(endpoint: RedisEndpoint, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const clients = endpoint.addresses.map((host) => plainClient(host, endpoint));
  try {
    const redis = await Promise.any(
      clients.map(async (client) => {
        await client.connect();
        return client;
      }),
    );
    return await ask(redis);
  } catch (error) {
    throw error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  } finally {
    for (const client of clients) client.disconnect();
  }
}

/** A connection that fails at once instead of hiding it. */
function plainClient(host: string, { port, tls, credentials }: Omit<RedisEndpoint, 'addresses'>): Redis {
  const client = new Redis({
    host,
    port,
    protocol: 2,
    ...credentials,
    ...(tls ? { tls: {} } : {}),
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    connectTimeout: REDIS_TIMEOUT_MS,
    commandTimeout: REDIS_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // Errors reach the caller through the commands; without a listener they would end the process.
  client.on('error', () => {});
  return client;
}

/** `name:value` lines of `INFO`. */
export function parseInfo(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':') && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
