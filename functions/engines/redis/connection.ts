import type { ConnectionOptions } from 'node:tls';
import { Redis, ReplyError } from 'ioredis';
import { handshakeProblem, tlsProblem } from '../../runtime/tls-problem.ts';
import type { Login } from './access.ts';

/** Connecting and each command, milliseconds. */
const REDIS_TIMEOUT_MS = 700;

export interface RedisEndpoint {
  /** Addresses of one node; the first to answer is used. */
  addresses: readonly string[];
  port: number;
  /** Undefined: in plain text. */
  tls: ConnectionOptions | undefined;
  login: Login;
}

/**
 * Asks one Redis or Sentinel process over a connection of its own, without retries, and always hangs up.
 * @throws Error of the first address when none answers in time; in words where TLS is what is wrong.
 */
export async function askRedis<T>(endpoint: RedisEndpoint, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const clients = endpoint.addresses.map((host) => plainClient(host, endpoint));
  // What the socket met says more than the command that was lost with it.
  const met: unknown[] = [];
  for (const client of clients) client.on('error', (error) => met.push(error));
  try {
    const redis = await Promise.any(
      clients.map(async (client) => {
        await client.connect();
        return client;
      }),
    );
    return await ask(redis);
  } catch (error) {
    const first: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
    throw (await explained([...met, first], endpoint)) ?? first;
  } finally {
    for (const client of clients) client.disconnect();
  }
}

/** What a person can act on: a refusal of the process itself, or what is wrong with TLS. */
async function explained(met: readonly unknown[], { addresses, port, tls }: RedisEndpoint): Promise<unknown> {
  const refusal = met.find((each) => each instanceof ReplyError);
  if (refusal !== undefined || !tls) return refusal;
  const problem = met.map((each) => tlsProblem(each, tls)).find((each) => each !== undefined);
  // Who is cut off by a reset has not heard why: the alert was lost with it.
  const isReset = met.some((each) => ['ECONNRESET', 'EPIPE'].includes((each as NodeJS.ErrnoException).code ?? ''));
  if (problem !== undefined || !isReset) return problem;
  const heard = await Promise.all(addresses.map((host) => handshakeProblem(host, port, tls, REDIS_TIMEOUT_MS)));
  return heard.find((each) => each !== undefined);
}

/** A connection that fails at once instead of hiding it. */
function plainClient(host: string, { port, tls, login }: Omit<RedisEndpoint, 'addresses'>): Redis {
  // Errors reach the caller through the commands, and through `met`; without a listener they would end the process.
  return new Redis({
    host,
    port,
    protocol: 2,
    ...login,
    ...(tls ? { tls } : {}),
    lazyConnect: true,
    enableReadyCheck: false,
    // It would need a right of its own.
    disableClientInfo: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    connectTimeout: REDIS_TIMEOUT_MS,
    commandTimeout: REDIS_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
}

/** `name:value` lines of `INFO`. */
export function parseInfo(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':') && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
