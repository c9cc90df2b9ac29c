import type { ConnectionOptions } from 'node:tls';
import { type API, Connection } from '@platformatic/kafka';
import { handshakeProblem, tlsProblem } from '../../runtime/tls-problem.ts';
import type { SaslLogin } from './access.ts';

/** Connecting with TLS and login; then each request. Milliseconds. */
export const CONNECT_TIMEOUT_MS = 1000;
export const REQUEST_TIMEOUT_MS = 1500;
/** As the brokers' request logs and quotas name us. */
const CLIENT_ID = 'holdfast';

export interface BrokerEndpoint {
  /** Addresses of one node; the first to answer is used. */
  addresses: readonly string[];
  port: number;
  /** Undefined: in plain text. */
  tls: ConnectionOptions | undefined;
  sasl: SaslLogin | undefined;
}

/** Sends one request to the broker it was opened for. @throws Error of the broker, in its words, or of the connection */
export type Ask = <Arguments extends unknown[], Answer>(
  api: API<Arguments, Answer>,
  ...request: Arguments
) => Promise<Answer>;

/**
 * Asks one broker over a connection of its own, without retries, and always hangs up. What it is told of other brokers
 * is not followed.
 * @throws Error of the first address when none answers in time; in words where login or TLS is what is wrong.
 */
export async function askBroker<T>(endpoint: BrokerEndpoint, question: (ask: Ask) => Promise<T>): Promise<T> {
  const { ask, hangUp } = await openBroker(endpoint);
  try {
    return await question(ask);
  } finally {
    hangUp();
  }
}

export interface OpenBroker {
  ask: Ask;
  isOpen(): boolean;
  hangUp(): void;
}

interface ConnectionLimits {
  /** A connection on which a request takes longer is closed. */
  requestTimeoutMs: number;
  /** What comes beyond so many requests under way waits for its turn. */
  maxInFlight: number;
}

/** A connection to one broker that fails at once instead of hiding it. @throws Error as `askBroker` */
export async function openBroker(endpoint: BrokerEndpoint, limits?: ConnectionLimits): Promise<OpenBroker> {
  const { addresses, port } = endpoint;
  const all = addresses.map((host) => ({ host, connection: newConnection(endpoint, limits) }));
  const met: unknown[] = [];
  // Errors reach the caller through the requests, and through `met`; without a listener they would end the process.
  for (const { connection } of all) connection.on('error', (error) => met.push(error));
  try {
    const connection = await Promise.any(
      all.map(async (each) => {
        await each.connection.connect(each.host, port);
        return each.connection;
      }),
    );
    for (const each of all) if (each.connection !== connection) close(each.connection);
    return {
      ask: (api, ...request) =>
        api.async(connection, ...request).catch((error: unknown) => {
          throw brokerError(error);
        }),
      isOpen: () => connection.isConnected(),
      hangUp: () => close(connection),
    };
  } catch (error) {
    for (const each of all) close(each.connection);
    const first: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
    throw (await explained([...met, first], endpoint)) ?? brokerError(first);
  }
}

function newConnection({ tls, sasl }: BrokerEndpoint, limits?: ConnectionLimits): Connection {
  return new Connection(CLIENT_ID, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: limits?.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    ...(limits ? { maxInflights: limits.maxInFlight } : {}),
    ...(tls ? { tls } : {}),
    ...(sasl ? { sasl } : {}),
  });
}

/** Its own `close` leaves a socket that failed half open. */
function close(connection: Connection): void {
  void connection.close();
  connection.socket?.destroy();
}

/** What a person can act on: what is wrong with login or TLS. */
async function explained(
  met: readonly unknown[],
  { addresses, port, tls, sasl }: BrokerEndpoint,
): Promise<Error | undefined> {
  const causes = met.flatMap(causesOf);
  const text = causes.map(({ message }) => message).join(' ');
  if (sasl && /SASL authentication failed/.test(text))
    return new Error(`it does not let ${sasl.username} in: user or password is wrong (${sasl.mechanism})`);
  if (sasl && /suitable SASL mechanism/.test(text))
    return new Error(`its listener on port ${port} does not offer ${sasl.mechanism} (kafka.sasl)`);
  if (!tls) {
    return /requires TLS/.test(text) ? new Error(`its listener on port ${port} demands TLS (tls)`) : undefined;
  }
  const problem = causes.map((each) => tlsProblem(each, tls)).find((each) => each !== undefined);
  if (problem !== undefined) return problem;
  // Who is cut off by a reset has not heard why: the alert was lost with it.
  const isReset = causes.some(({ code }) => code === 'ECONNRESET' || code === 'EPIPE');
  if (!isReset) return undefined;
  const heard = await Promise.all(addresses.map((host) => handshakeProblem(host, port, tls, CONNECT_TIMEOUT_MS)));
  return heard.find((each) => each !== undefined);
}

/** The error and what is behind it, the outermost first. */
function causesOf(error: unknown): NodeJS.ErrnoException[] {
  if (!(error instanceof Error)) return [];
  const nested = error instanceof AggregateError ? error.errors.flatMap(causesOf) : [];
  return [error, ...nested, ...causesOf(error.cause)];
}

/** A broker's refusal by the protocol's own name for it. */
export class BrokerRefusal extends Error {
  override name = 'BrokerRefusal';
  /** As `TOPIC_AUTHORIZATION_FAILED`. */
  readonly codes: readonly string[];
  /** What it answered beside the refusals, as the API parsed it. */
  readonly response: unknown;

  constructor(codes: readonly string[], response: unknown, cause: unknown) {
    super([...new Set(codes)].join(', '), { cause });
    this.codes = codes;
    this.response = response;
  }
}

/** The library says of every failure only that there was one; the innermost says which. */
function brokerError(error: unknown): Error {
  const causes = causesOf(error);
  const codes = causes.flatMap((each) => ('apiId' in each && typeof each.apiId === 'string' ? [each.apiId] : []));
  if (codes.length > 0) {
    const response = causes.flatMap((each) => ('response' in each ? [each.response] : []))[0];
    return new BrokerRefusal(codes, response, error);
  }
  return causes.at(-1) ?? new Error(String(error));
}
