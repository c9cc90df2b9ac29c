import { errors, types } from 'cassandra-driver';
import { expect, test } from 'vitest';
import { PROFILES } from '../../../../lab/fleet/cassandra/clients.ts';
import { ordersStore } from '../../../../lab/fleet/cassandra/shard-client.ts';
import { StoreTimeout } from '../../../../lab/fleet/engine.ts';

const NODES: Record<string, string> = { '10.0.0.1:9042': 'node-1' };

/** A ring that answers everything like this, and keeps what it was asked. */
function ring(answer: () => Promise<unknown>) {
  const asked: { query: string; options: unknown }[] = [];
  const client = {
    execute: (query: string, _parameters: unknown, options: unknown) => {
      asked.push({ query, options });
      return answer();
    },
  };
  return { asked, store: ordersStore(client as never, 'quorum', (endpoint) => NODES[endpoint]) };
}

test('orders are written and read at QUORUM, and the node that a client gave one to is named', async () => {
  const { asked, store } = ring(async () => ({ rows: [{ value: 'v' }], info: { queriedHost: '10.0.0.1:9042' } }));
  expect([await store.set('k', 'v'), await store.get?.('k')]).toEqual(['node-1', 'v']);
  for (const { options } of asked) expect(options).toMatchObject({ consistency: types.consistencies.quorum });
});

test('an order that is not there is no failure', async () => {
  expect(await ring(async () => ({ rows: [] })).store.get?.('k')).toBeNull();
});

test('an answer that did not come in time is told apart from a refusal: the write may have had an effect', async () => {
  const { readTimeout, writeTimeout, unavailableException } = types.responseErrorCodes;
  const outcome = (error: Error) =>
    ring(() => Promise.reject(error))
      .store.set('k', 'v')
      .catch((failure: unknown) => failure);
  for (const late of [
    new errors.OperationTimedOutError('late', '10.0.0.1'),
    new errors.ResponseError(readTimeout, 'late'),
    new errors.ResponseError(writeTimeout, 'late'),
  ])
    expect(await outcome(late)).toBeInstanceOf(StoreTimeout);
  const refused = new errors.ResponseError(unavailableException, 'too few');
  expect(await outcome(refused)).toBe(refused);
});

test('a client that is tuned asks another node after 100 ms, and one with defaults sets nothing', () => {
  expect(PROFILES.default).toEqual({});
  const { queryOptions, policies } = PROFILES.tuned;
  // Without it the driver never asks a second node.
  expect(queryOptions.isIdempotent).toBe(true);
  const plan = policies.speculativeExecution.newPlan('orders', 'SELECT');
  expect([plan.nextExecution({} as never), plan.nextExecution({} as never)]).toEqual([100, 100]);
});
