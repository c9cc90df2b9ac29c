import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type ShardStore, StoreTimeout } from '../../../lab/fleet/engine.ts';
import { createGateway, MAX_WORKERS, workersPerShard } from '../../../lab/traffic/http-gateway.ts';
import { memoryStore } from '../../../lab/traffic/memory-store.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const RECORDS = { producedTo: ['node-1', 'node-2'], coordinating: [] };

async function start(
  shards: Record<string, ShardStore>,
  maxWorkers = 8,
  maxWorkersPerShard = 2,
  nodes: { producedTo: string[]; coordinating: string[] } = { producedTo: [], coordinating: [] },
): Promise<string> {
  const named = new Map(Object.entries(shards));
  const server = createGateway({ name: 'g', shards: named, nodes, maxWorkers, maxWorkersOf: () => maxWorkersPerShard });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers nothing until released, as a partitioned master does. */
function silentStore(): ShardStore & { waiting(): number; release(): void } {
  const waiting: (() => void)[] = [];
  const answer = () => new Promise<void>((resolve) => waiting.push(resolve));
  return {
    set: () => answer().then(() => undefined),
    get: () => answer().then(() => null),
    waiting: () => waiting.length,
    release: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

const failingStore = (error: Error): ShardStore => ({
  set: () => Promise.reject(error),
  get: () => Promise.reject(error),
});

async function write(base: string, shard: string, key = 'k'): Promise<number> {
  return (await fetch(`${base}/write?shard=${shard}&key=${key}&value=v`, { method: 'POST' })).status;
}

async function metric(base: string, series: string): Promise<number | undefined> {
  const text = await (await fetch(`${base}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('gateway', () => {
  test('what was written is read', async () => {
    const base = await start({ a: memoryStore() });
    expect(await write(base, 'a', 'key')).toBe(200);
    expect(await (await fetch(`${base}/read?shard=a&key=key`)).text()).toBe('v');
    expect(await metric(base, 'http_requests_total{code="200",shard="a"}')).toBe(2);
    expect(await metric(base, 'http_write_duration_seconds_count')).toBe(1);
  });

  test('a dead shard is refused at once when its bulkhead is full and cannot starve the others', async () => {
    const silent = silentStore();
    const base = await start({ dead: silent, alive: memoryStore() });
    const hanging = [write(base, 'dead'), write(base, 'dead')];
    await expect.poll(silent.waiting).toBe(2);
    expect(await write(base, 'dead')).toBe(503);
    expect(await write(base, 'alive')).toBe(200);
    expect(await metric(base, 'gateway_workers_free')).toBe(6);
    expect(await metric(base, 'gateway_workers_max')).toBe(8);
    silent.release();
    expect(await Promise.all(hanging)).toEqual([200, 200]);
    expect(await metric(base, 'gateway_workers_free')).toBe(8);
    expect(await metric(base, 'http_requests_total{code="503",shard="dead"}')).toBe(1);
  });

  test('a full worker pool answers 503 and lets the slot of the shard go again', async () => {
    const silent = silentStore();
    const base = await start({ dead: silent, alive: memoryStore() }, 2, 2);
    const hanging = [write(base, 'dead'), write(base, 'dead')];
    await expect.poll(silent.waiting).toBe(2);
    expect(await write(base, 'alive')).toBe(503);
    silent.release();
    await Promise.all(hanging);
    expect(await write(base, 'alive')).toBe(200);
  });

  test('without a bulkhead a shard that does not answer takes the workers of all', async () => {
    const silent = silentStore();
    const base = await start({ dead: silent, alive: memoryStore() }, 4, 4);
    const hanging = Array.from({ length: 4 }, () => write(base, 'dead'));
    await expect.poll(silent.waiting).toBe(4);
    expect(await metric(base, 'gateway_workers_free')).toBe(0);
    expect(await write(base, 'alive')).toBe(503);
    silent.release();
    await Promise.all(hanging);
  });

  test('LAB_GATEWAY_BULKHEAD says how many workers a shard may have, and anything else is refused', () => {
    const lanes = [{ name: 'canary', workers: 3 }, { name: 'busy' }];
    expect(workersPerShard('off', lanes)('canary')).toBe(MAX_WORKERS);
    for (const on of [workersPerShard('on', lanes), workersPerShard(undefined, lanes)]) {
      expect(on('canary')).toBe(3);
      // What the guard wants free is free, whatever one shard does.
      expect(on('busy') / MAX_WORKERS).toBeLessThan(0.85);
    }
    expect(() => workersPerShard('no', lanes)).toThrow('LAB_GATEWAY_BULKHEAD: "no" is neither on nor off');
  });

  test('a store error is 503, an answer that did not come is 504, and both are counted for the guard', async () => {
    const base = await start({
      broken: failingStore(new Error('LOADING')),
      slow: failingStore(new StoreTimeout(new Error('late'))),
    });
    expect(await write(base, 'broken')).toBe(503);
    expect(await write(base, 'slow')).toBe(504);
    expect(await metric(base, 'http_requests_total{code="503",shard="broken"}')).toBe(1);
    expect(await metric(base, 'http_requests_total{code="504",shard="slow"}')).toBe(1);
  });

  test('a rejected write does not count as a fast one', async () => {
    const silent = silentStore();
    const base = await start({ dead: silent }, 8, 1);
    const hanging = write(base, 'dead');
    await expect.poll(silent.waiting).toBe(1);
    expect(await write(base, 'dead')).toBe(503);
    expect(await metric(base, 'http_write_duration_seconds_count')).toBe(0);
    silent.release();
    await hanging;
    expect(await metric(base, 'http_write_duration_seconds_count')).toBe(1);
  });

  test('error series exist before the first error, so that its rate is seen', async () => {
    const base = await start({ a: memoryStore() });
    expect(await metric(base, 'http_requests_total{code="503",shard="a"}')).toBe(0);
    expect(await metric(base, 'http_requests_total{code="504",shard="a"}')).toBe(0);
    expect(await metric(base, 'http_write_duration_seconds_bucket{le="0.2"}')).toBe(0);
  });

  test('an unknown shard and a missing key are refused with what is allowed', async () => {
    const base = await start({ a: memoryStore() });
    const unknown = await fetch(`${base}/write?shard=b&key=k`, { method: 'POST' });
    expect([unknown.status, await unknown.text()]).toEqual([404, 'shard: one of a']);
    expect((await fetch(`${base}/write?shard=a`, { method: 'POST' })).status).toBe(400);
  });

  test('a shard that is only written to says so to whoever reads, and no worker is taken', async () => {
    const base = await start({ log: { set: async () => 'node-1' } }, 8, 2, RECORDS);
    const answer = await fetch(`${base}/read?shard=log&key=k`);
    expect([answer.status, await answer.text()]).toEqual([400, 'shard: log is only written to, with POST /write']);
    expect(await metric(base, 'http_requests_total{code="400",shard="log"}')).toBe(1);
  });

  test('what was written is counted by the node that took it, and a node that took nothing has its series', async () => {
    const base = await start({ log: { set: async () => 'node-1' }, a: memoryStore() }, 8, 2, RECORDS);
    expect([await write(base, 'log'), await write(base, 'a')]).toEqual([200, 200]);
    expect(await metric(base, 'records_produced_total{broker="node-1"}')).toBe(1);
    expect(await metric(base, 'records_produced_total{broker="node-2"}')).toBe(0);
  });

  test('of nodes that ask others, what each took is counted, and not as records', async () => {
    const nodes = { producedTo: [], coordinating: ['node-1', 'node-2'] };
    const base = await start({ orders: { set: async () => 'node-2' } }, 8, 2, nodes);
    expect(await write(base, 'orders')).toBe(200);
    expect(await metric(base, 'requests_coordinated_total{node="node-1"}')).toBe(0);
    expect(await metric(base, 'requests_coordinated_total{node="node-2"}')).toBe(1);
  });

  test('reads and writes of each shard are timed apart, and those of no other shard are among them', async () => {
    const base = await start({ a: memoryStore(), b: memoryStore() });
    await write(base, 'a');
    await fetch(`${base}/read?shard=a&key=k`);
    await fetch(`${base}/read?shard=b&key=k`);
    for (const [shard, operation] of [
      ['a', 'read'],
      ['a', 'write'],
      ['b', 'read'],
    ])
      expect(
        await metric(base, `http_shard_duration_seconds_count{shard="${shard}",operation="${operation}"}`),
        `${shard} ${operation}`,
      ).toBe(1);
  });
});
