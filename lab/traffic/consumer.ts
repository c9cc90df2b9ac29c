import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { recordClients } from '../fleet/fleet.ts';
import { readStoreKeys } from '../fleet/store-keys.ts';
import { createConsumerMetrics } from './consumer-metrics.ts';
import { createMetricsServer } from './metrics-server.ts';
import { writerNamed } from './receipts.ts';
import { createWorkerPool } from './worker-pool.ts';
import { createWorkers } from './workers.ts';

/**
 * One member of the group that takes orders. Environment: CONSUMER_NAME, METRICS_PORT, LAB_DIRECTORY, and
 * LAB_CONSUMER_BREAKER: `off` for workers without a circuit breaker.
 */
const environment = z
  .object({
    CONSUMER_NAME: z.string().min(1),
    METRICS_PORT: z.coerce.number().int().positive(),
    LAB_DIRECTORY: z.string().min(1),
    LAB_CONSUMER_BREAKER: z.string().optional(),
  })
  .parse(process.env);

/**
 * With 500 ms more on one broker a receipt takes about a second: a member finishes 10 orders of the 17 that it gets in
 * that time, and has no worker left. Through the breaker 2 are enough for what is tried.
 */
const MAX_WORKERS = 10;
const COMMIT_INTERVAL_MS = 250;

const keys = readStoreKeys(environment.LAB_DIRECTORY);
const clients = recordClients();
const pool = createWorkerPool(MAX_WORKERS);
const writer = writerNamed(environment.LAB_CONSUMER_BREAKER);
const clock = { nowEpochMs: () => Date.now(), monotonicMs: () => performance.now() };
const metrics = createConsumerMetrics(
  { maxWorkers: MAX_WORKERS, freeWorkers: pool.free, isBreakerOpen: writer.isOpen },
  clock,
);
const receipts = await clients.connectProducer('receipts', keys);
const workers = createWorkers({ pool, receipts, writer, metrics, nowEpochMs: clock.nowEpochMs });
createMetricsServer(metrics.registry).listen(environment.METRICS_PORT);
const member = await clients.joinWorkers(environment.CONSUMER_NAME, keys, workers.events);

async function commitAgainAndAgain(): Promise<never> {
  for (;;) {
    await delay(COMMIT_INTERVAL_MS);
    // Not taken during a rebalance: then the orders come again, to whoever has their partition.
    await workers.commit(member).catch(() => undefined);
  }
}
await Promise.all([workers.work(member), commitAgainAndAgain()]);
