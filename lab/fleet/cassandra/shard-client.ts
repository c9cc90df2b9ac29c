import { type Client, errors, types } from 'cassandra-driver';
import { type ShardStore, StoreTimeout } from '../engine.ts';
import { ORDERS_TABLE } from './schema.ts';

const INSERT = `INSERT INTO ${ORDERS_TABLE} (key, value) VALUES (?, ?)`;
const SELECT = `SELECT value FROM ${ORDERS_TABLE} WHERE key = ?`;
/** How many copies have what was written, and are asked when it is read: a majority of all, of those here, of those in each datacenter. */
export type Level = 'quorum' | 'localQuorum' | 'eachQuorum';

/** The orders of one client. @param nodeAt the lab's name of the node with this address and port */
export function ordersStore(
  client: Pick<Client, 'execute'>,
  level: Level,
  nodeAt: (endpoint: string) => string | undefined,
): ShardStore {
  const options = { prepare: true, consistency: types.consistencies[level] };
  return {
    async set(key, value) {
      const { info } = await told(client.execute(INSERT, [key, value], options));
      return nodeAt(info.queriedHost);
    },
    async get(key) {
      const { rows } = await told(client.execute(SELECT, [key], options));
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
