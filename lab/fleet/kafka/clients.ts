import type { ConnectionOptions } from 'node:tls';
import {
  type Broker,
  type Callback,
  type Connection,
  type ConnectionPool,
  Consumer,
  kGetBootstrapConnection,
  Producer,
  type SASLOptions,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka';

/** How an application of the lab reaches its cluster. */
export interface ClusterAccess {
  /** As the brokers' logs name the client. */
  clientId: string;
  brokers: Broker[];
  sasl: SASLOptions;
  /** Absent: in plain text. */
  tls?: ConnectionOptions;
}

/** Of everybody. Milliseconds. */
const CLIENT = { connectTimeout: 1_000, metadataMaxAge: 5_000, retryDelay: 100 } as const;

/**
 * How long a produce request may wait for the copies, and for its answer: a broker that is 500 ms away is slow and does
 * not fail. Milliseconds.
 */
const [ACKS_TIMEOUT_MS, PRODUCE_TIMEOUT_MS] = [2_000, 2_500];

const PRODUCER = {
  ...CLIENT,
  // This library's idempotent producer acknowledges records that are not in the log when sends are concurrent. So a retry
  // may write a record twice, which who reads it has to bear.
  idempotent: false,
  // The first meets the lost connection, the second asks who leads, the third is for a leader that has just moved.
  retries: 2,
  timeout: ACKS_TIMEOUT_MS,
  requestTimeout: PRODUCE_TIMEOUT_MS,
} as const;

/** A member that is silent for so long is dead. */
export const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_INTERVAL_MS = 3_000;

const MEMBER = {
  ...CLIENT,
  sessionTimeout: SESSION_TIMEOUT_MS,
  heartbeatInterval: HEARTBEAT_INTERVAL_MS,
  rebalanceTimeout: SESSION_TIMEOUT_MS,
  autocommit: false,
  maxWaitTime: 500,
  // About 100 records: no more are read ahead of the workers.
  maxBytesPerPartition: 16_384,
  // A join is answered when all others have joined too, each of them after its next heartbeat.
  requestTimeout: HEARTBEAT_INTERVAL_MS + 2_000,
  // As long as an election may take, of a leader and then of a coordinator.
  retries: 200,
} as const;

/**
 * The library asks the first bootstrap broker who leads, each time anew. One that is cut off from the other brokers, but
 * not from its clients, says that it does for as long as that lasts. So these ask every connected broker in turn.
 */
class ApplicationProducer extends Producer<string, string, string, string> {
  #turn = 0;

  override [kGetBootstrapConnection](callback: Callback<Connection>): void {
    this.#turn += 1;
    const connection = connected(this.connections, this.#turn);
    if (connection) callback(null, connection);
    else super[kGetBootstrapConnection](callback, this.#turn);
  }
}

class ApplicationConsumer extends Consumer<string, string, string, string> {
  #turn = 0;

  override [kGetBootstrapConnection](callback: Callback<Connection>): void {
    this.#turn += 1;
    const connection = connected(this.connections, this.#turn);
    if (connection) callback(null, connection);
    else super[kGetBootstrapConnection](callback, this.#turn);
  }
}

function connected(pool: ConnectionPool, turn: number): Connection | undefined {
  const all = [...pool].map(([, connection]) => connection).filter((connection) => connection.isConnected());
  return all[turn % all.length];
}

export function newProducer(access: ClusterAccess): Producer<string, string, string, string> {
  return new ApplicationProducer({ ...PRODUCER, ...optionsOf(access), serializers: stringSerializers });
}

export function newMember(access: ClusterAccess, groupId: string): Consumer<string, string, string, string> {
  return new ApplicationConsumer({ ...MEMBER, ...optionsOf(access), groupId, deserializers: stringDeserializers });
}

function optionsOf({ clientId, brokers, sasl, tls }: ClusterAccess) {
  return { clientId, bootstrapBrokers: brokers, sasl, ...(tls && { tls, tlsServerName: true }) };
}
