import { z } from 'zod';
import { shardsIn } from '../fleet/engine.ts';
import { coordinatingNodes, ENGINES, recordNodes } from '../fleet/fleet.ts';
import { readStoreKeys } from '../fleet/store-keys.ts';
import { GATEWAY_PORT } from '../shared/topology.ts';
import { createGateway, MAX_WORKERS, workersPerShard } from './http-gateway.ts';
import { memoryStore } from './memory-store.ts';
import { CACHE, ROUTING } from './routing.ts';

/**
 * One gateway process. Environment: GATEWAY_NAME, LAB_DIRECTORY, and LAB_GATEWAY_BULKHEAD: `off` for one pool of workers
 * that all shards share.
 */
const environment = z
  .object({
    GATEWAY_NAME: z.string().min(1),
    LAB_DIRECTORY: z.string().min(1),
    LAB_GATEWAY_BULKHEAD: z.string().optional(),
  })
  .parse(process.env);
const keys = readStoreKeys(environment.LAB_DIRECTORY);

const stores = ENGINES.flatMap((engine) =>
  shardsIn(engine.traffic).map(async (shard) => [shard, await engine.connectShard(shard, keys)] as const),
);
const shards = new Map(await Promise.all(stores));
if (ROUTING.lanes.some(({ name }) => name === CACHE)) shards.set(CACHE, memoryStore());

createGateway({
  name: environment.GATEWAY_NAME,
  shards,
  nodes: { producedTo: recordNodes(), coordinating: coordinatingNodes() },
  maxWorkers: MAX_WORKERS,
  maxWorkersOf: workersPerShard(environment.LAB_GATEWAY_BULKHEAD, ROUTING.lanes),
}).listen(GATEWAY_PORT, () => {
  process.stdout.write(`${environment.GATEWAY_NAME} listens on port ${GATEWAY_PORT}\n`);
});
