import { types } from 'cassandra-driver';
import type { CassandraCluster } from './configuration.ts';
import type { CqlClient } from './probe-clients.ts';

/** Longer than any run and what may follow it: nothing of the probe stays. */
const TIME_TO_LIVE_SECONDS = 86_400;

/** A value, with the timestamp that it won its place by. */
export interface StoredValue {
  value: string;
  /** Microseconds since the epoch. */
  timestampUs: number;
}

/** One write: a value, or null for its removal. */
export interface Change {
  key: string;
  value: string | null;
}

/** How the probe's table is written and read, at one consistency level. */
export class ProbeTable {
  readonly #insert: string;
  readonly #remove: string;
  readonly #select: string;
  readonly #consistency: types.consistencies;

  constructor({ cassandra: { probeKeyspace, probeTable } }: CassandraCluster, consistency: types.consistencies) {
    const table = `${probeKeyspace}.${probeTable}`;
    this.#insert = `INSERT INTO ${table} (key, value) VALUES (?, ?) USING TTL ${TIME_TO_LIVE_SECONDS}`;
    this.#remove = `DELETE value FROM ${table} WHERE key = ?`;
    this.#select = `SELECT value, WRITETIME(value) AS written FROM ${table} WHERE key = ?`;
    this.#consistency = consistency;
  }

  /** @throws Error of the driver without enough acknowledgements */
  async write(client: CqlClient, key: string, value: string): Promise<void> {
    await client.execute(this.#insert, [key, value], { prepare: true, consistency: this.#consistency });
  }

  /** Under one timestamp. @throws Error of the driver without enough acknowledgements */
  async writeTogether(client: CqlClient, changes: readonly Change[]): Promise<void> {
    const queries = changes.map(({ key, value }) =>
      value === null ? { query: this.#remove, params: [key] } : { query: this.#insert, params: [key, value] },
    );
    await client.batch(queries, { prepare: true, logged: false, consistency: this.#consistency });
  }

  /** @returns null for a key without a value @throws Error of the driver without enough answers */
  async read(
    client: CqlClient,
    key: string,
    consistency: types.consistencies = this.#consistency,
  ): Promise<StoredValue | null> {
    const { rows } = await client.execute(this.#select, [key], { prepare: true, consistency });
    const value: unknown = rows[0]?.value;
    const written: unknown = rows[0]?.written;
    return typeof value === 'string' ? { value, timestampUs: Number(written) } : null;
  }

  /** What one node answers alone. @throws Error of the driver */
  readAlone(client: CqlClient, key: string): Promise<StoredValue | null> {
    return this.read(client, key, types.consistencies.localOne);
  }
}
