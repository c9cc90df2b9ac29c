import { describe, expect, test } from 'vitest';
import type { NewRecord, Position, TakenRecord } from '../../../lab/fleet/records.ts';
import { createConsumerMetrics } from '../../../lab/traffic/consumer-metrics.ts';
import { consumerProblem } from '../../../lab/traffic/consumers.ts';
import { writerWithoutBreaker } from '../../../lab/traffic/receipts.ts';
import { createWorkerPool } from '../../../lab/traffic/worker-pool.ts';
import { createWorkers } from '../../../lab/traffic/workers.ts';

const MAX_WORKERS = 2;
const turn = () => new Promise((resolve) => setImmediate(resolve));

function order(offset: number, producedAtMs = 0): TakenRecord {
  return { id: `id-${offset}`, key: `k-${offset}`, value: 'v', partition: 0, offset: BigInt(offset), producedAtMs };
}

/** Workers whose receipts are written when they are told to be. */
function started({ nowMs = 0 } = {}) {
  const clock = { nowEpochMs: () => nowMs, monotonicMs: () => nowMs };
  const pool = createWorkerPool(MAX_WORKERS);
  const state = { maxWorkers: MAX_WORKERS, freeWorkers: pool.free, isBreakerOpen: () => false };
  const metrics = createConsumerMetrics(state, clock);
  const asked: { partition: number; record: NewRecord | undefined; answer: () => void }[] = [];
  const receipts = {
    partitions: 3,
    produce: (partition: number, [record]: readonly NewRecord[]) =>
      new Promise<string>((resolve) => asked.push({ partition, record, answer: () => resolve('node-1') })),
  };
  const workers = createWorkers({
    pool,
    receipts,
    writer: writerWithoutBreaker,
    metrics,
    nowEpochMs: clock.nowEpochMs,
  });
  const read: number[] = [];
  async function* records(...offsets: number[]): AsyncGenerator<TakenRecord> {
    for (const offset of offsets) {
      read.push(offset);
      yield order(offset);
    }
  }
  const commits: Position[] = [];
  const member = {
    commit: async (positions: readonly Position[]) => void commits.push(...positions),
  };
  return {
    ...{ workers, asked, read, records, commits, member },
    later: (ms: number) => (nowMs += ms),
    value: async (series: string) => {
      const text = await metrics.registry.metrics();
      const line = text.split('\n').find((each) => each.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    text: () => metrics.registry.metrics(),
  };
}

describe('workers', () => {
  test('no order is read while every worker is busy: a slow store makes a lag and no queue', async () => {
    const { workers, asked, read, records, value } = started();
    const work = workers.work({ records: records(0, 1, 2, 3, 4) });
    await turn();
    expect(read).toEqual([0, 1, 2]);
    expect([asked.length, await value('consumer_workers_free')]).toEqual([2, 0]);
    asked[0]?.answer();
    await turn();
    expect(read).toEqual([0, 1, 2, 3]);
    while (read.length < 5 || asked.length < 5) {
      for (const { answer } of asked) answer();
      await turn();
    }
    await work;
    for (const { answer } of asked) answer();
    await turn();
    expect(await value('consumer_workers_free')).toBe(MAX_WORKERS);
    expect(await value('consumer_records_total{result="processed"}')).toBe(5);
  });

  test('every order gets a receipt that names it, over all partitions in turn', async () => {
    const { workers, asked, records } = started();
    const work = workers.work({ records: records(0, 1, 2, 3) });
    while (asked.length < 4) {
      for (const { answer } of asked) answer();
      await turn();
    }
    await work;
    expect(asked.map(({ record }) => record)).toEqual([0, 1, 2, 3].map((n) => ({ key: `k-${n}`, value: `id-${n}` })));
    expect(asked.map(({ partition }) => partition)).toEqual([0, 1, 2, 0]);
  });

  test('an order is committed when it and all before it are finished, and once', async () => {
    const { workers, asked, records, commits, member } = started();
    workers.events.onAssigned({ generation: 1, partitions: [0] });
    await workers.work({ records: records(4, 5) });
    asked[1]?.answer();
    await turn();
    await workers.commit(member);
    expect(commits.map(({ offset }) => offset)).toEqual([4n]);
    asked[0]?.answer();
    await turn();
    await workers.commit(member);
    await workers.commit(member);
    expect(commits.map(({ offset }) => offset)).toEqual([4n, 6n]);
  });

  test('a commit that was not taken is tried again', async () => {
    const { workers, asked, records, commits, member } = started();
    workers.events.onAssigned({ generation: 1, partitions: [0] });
    await workers.work({ records: records(0) });
    asked[0]?.answer();
    await turn();
    const refused = { commit: () => Promise.reject(new Error('rebalancing')) };
    await expect(workers.commit(refused)).rejects.toThrow('rebalancing');
    await workers.commit(member);
    expect(commits).toEqual([{ partition: 0, offset: 1n }]);
  });

  test('the lag counts from the production of an order to the worker that takes it', async () => {
    const { workers, records, value } = started({ nowMs: 150 });
    await workers.work({ records: records(0) });
    expect(await value('consumer_lag_seconds_bucket{le="0.1"}')).toBe(0);
    expect(await value('consumer_lag_seconds_bucket{le="0.2"}')).toBe(1);
  });

  test('all series are there before the first order, so that rates see it', async () => {
    const { text } = started();
    const exposed = await text();
    for (const series of [
      ...['processed', 'failed', 'dead_letter'].map((result) => `consumer_records_total{result="${result}"} 0`),
      ...['0.1', '0.2', '+Inf'].map((le) => `consumer_lag_seconds_bucket{le="${le}"} 0`),
      ...['workers_free 2', 'workers_max 2', 'breaker_open 0', 'rebalances_total 0'].map((each) => `consumer_${each}`),
      ...['last_rebalance_seconds 0', 'generation 0', 'assigned_partitions 0'].map((each) => `consumer_${each}`),
    ]) {
      expect(exposed.split('\n')).toContain(series);
    }
  });

  test('a rebalance takes from the first word of it to the assignment, and meanwhile nothing is assigned', async () => {
    const { workers, later, value } = started();
    later(400);
    workers.events.onAssigned({ generation: 3, partitions: [0, 2] });
    expect(await value('consumer_last_rebalance_seconds')).toBe(0.4);
    later(10_000);
    workers.events.onRebalance();
    expect(await value('consumer_assigned_partitions')).toBe(0);
    later(2_000);
    workers.events.onRebalance();
    later(1_000);
    workers.events.onAssigned({ generation: 4, partitions: [1] });
    expect(await value('consumer_last_rebalance_seconds')).toBe(3);
    expect(await value('consumer_last_rebalance_timestamp_seconds')).toBe(13.4);
    expect(await value('consumer_rebalances_total')).toBe(2);
    expect(await value('consumer_generation')).toBe(4);
    expect(await value('consumer_assigned_partitions')).toBe(1);
  });

  test('a consumer is ready when it has a partition and has written a receipt', async () => {
    const { workers, asked, records, text } = started();
    expect(consumerProblem(await text())).toBe('no partition is assigned');
    workers.events.onAssigned({ generation: 1, partitions: [0] });
    expect(consumerProblem(await text())).toBe('no receipt was written');
    await workers.work({ records: records(0) });
    asked[0]?.answer();
    await turn();
    expect(consumerProblem(await text())).toBeUndefined();
  });
});
