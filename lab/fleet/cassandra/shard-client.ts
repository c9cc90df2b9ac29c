import { type Client, errors, types } from 'cassandra-driver';
import { type ShardStore, StoreTimeout } from '../engine.ts';
import { ORDERS_TABLE } from './schema.ts';

const INSERT = `INSERT INTO ${ORDERS_TABLE} (key, value) VALUES (?, ?)`;
const SELECT = `SELECT value FROM ${ORDERS_TABLE} WHERE key = ?`;
/** A majority of all copies has what was written, and is asked when it is read. */
const QUORUM = { prepare: true, consistency: types.consistencies.quorum } as const;

/** The orders of one client. @param nodeAt the lab's name of the node with this address and port */
export function ordersStore(
  client: Pick<Client, 'execute'>,
  nodeAt: (endpoint: string) => string | undefined,
): ShardStore {
  return {
    async set(key, value) {
      const { info } = await told(client.execute(INSERT, [key, value], QUORUM));
      return nodeAt(info.queriedHost);
    },
    async get(key) {
      const { rows } = await told(client.execute(SELECT, [key], QUORUM));
      const value: unknown = rows[0]?.value;
      return typeof value === 'string' ? value : null;
    },
  };
}

async function told<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw isTimeout(error) ? new StoreTimeout(error) : error;
  }
}

/** The client's own, or that of the node that it has asked: whether the write had an effect is unknown. */
function isTimeout(error: unknown): error is Error {
  if (error instanceof errors.OperationTimedOutError) return true;
  const { readTimeout, writeTimeout } = types.responseErrorCodes;
  return error instanceof errors.ResponseError && [readTimeout, writeTimeout].includes(error.code);
}
