import type { ConnectionOptions } from 'node:tls';
import cassandra from 'cassandra-driver';
import { tlsProblem } from '../../runtime/tls-problem.ts';
import type { Login } from './access.ts';

/** To connect; everything up to the login; then each request. Milliseconds. */
const CONNECT_TIMEOUT_MS = 1000;
const OPEN_WITHIN_MS = 2000;
const REQUEST_TIMEOUT_MS = 1500;
/** More rows than any view of one node has. */
const FETCHED_ROWS = 20_000;

export interface NodeEndpoint {
  /** Addresses of one node; the first to answer is used. */
  addresses: readonly string[];
  port: number;
  /** Undefined: in plain text. */
  tls: ConnectionOptions | undefined;
  /** Undefined: none. */
  login: Login | undefined;
}

export type Row = Readonly<Record<string, unknown>>;
/** Sends one statement to the node it was opened for. @throws Error of the node, in its words, or of the connection */
export type Ask = (statement: string, values?: readonly unknown[]) => Promise<Row[]>;

export interface OpenNode {
  ask: Ask;
  close(): void;
}

/**
 * A client of one node and no other: what it is told of others is not followed, and nothing is sent twice.
 * @throws Error of the first address when none answers in time; in words where login or TLS is what is wrong.
 */
export async function openNode(endpoint: NodeEndpoint): Promise<OpenNode> {
  const clients = endpoint.addresses.map((address) => clientOf(address, endpoint));
  const shutDown = (client: cassandra.Client) => void client.shutdown().catch(() => {});
  try {
    const client = await Promise.any(
      clients.map(async (each) => {
        await within(OPEN_WITHIN_MS, each.connect());
        return each;
      }),
    );
    for (const each of clients) if (each !== client) shutDown(each);
    return {
      ask: async (statement, values = []) => {
        try {
          const { rows } = await client.execute(statement, [...values], { prepare: values.length > 0 });
          // A statement that changes something has none.
          return (rows ?? []) as unknown as Row[];
        } catch (error) {
          throw innermost(error);
        }
      },
      close: () => shutDown(client),
    };
  } catch (error) {
    for (const each of clients) shutDown(each);
    const first: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
    throw explained(innermost(first), endpoint);
  }
}

function clientOf(address: string, { port, tls, login }: NodeEndpoint): cassandra.Client {
  const { loadBalancing, retry, reconnection } = cassandra.policies;
  const host = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return new cassandra.Client({
    contactPoints: [host],
    ...(login ? { credentials: login } : {}),
    ...(tls ? { sslOptions: tls } : {}),
    isMetadataSyncEnabled: false,
    policies: {
      loadBalancing: new loadBalancing.AllowListPolicy(new loadBalancing.RoundRobinPolicy(), [`${address}:${port}`]),
      retry: new retry.FallthroughRetryPolicy(),
      reconnection: new reconnection.ConstantReconnectionPolicy(CONNECT_TIMEOUT_MS),
    },
    pooling: { heartBeatInterval: 0 },
    socketOptions: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      readTimeout: REQUEST_TIMEOUT_MS,
      defunctReadTimeoutThreshold: 1,
    },
    queryOptions: { consistency: cassandra.types.consistencies.localOne, fetchSize: FETCHED_ROWS },
  });
}

/** A node's own refusal, not a failure of the connection: what a user may not do, or what there is not. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'ResponseError';
}

export function isUnauthorized(error: unknown): boolean {
  return isRefusal(error) && (error as { code?: unknown }).code === cassandra.types.responseErrorCodes.unauthorized;
}

/** The driver says of every failure only that no host was left; the innermost says why. */
function innermost(error: unknown): Error {
  const inner =
    error instanceof Error && 'innerErrors' in error ? Object.values(error.innerErrors ?? {})[0] : undefined;
  if (inner instanceof Error) return innermost(inner);
  return error instanceof Error ? error : new Error(String(inner ?? error));
}

/** What a person can act on: what is wrong with login or TLS. */
function explained(error: Error, { port, tls, login }: NodeEndpoint): Error {
  if (error.name === 'AuthenticationError') {
    return login
      ? new Error(`it does not let ${login.username} in: ${error.message}`, { cause: error })
      : new Error('it asks for a user and a password (secretName)', { cause: error });
  }
  const problem = tlsProblem(error, tls);
  if (problem) return problem;
  // Who ends the connection because it wants TLS looks, through the driver, like one that hangs.
  if (!tls && /did not reply|no answer within/.test(error.message))
    return new Error(`${error.message}, or it demands TLS on port ${port} (tls)`, { cause: error });
  return error;
}

async function within<T>(milliseconds: number, act: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  act.catch(() => {});
  try {
    return await Promise.race([act, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
