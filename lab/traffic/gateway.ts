import { z } from 'zod';
import { shardsOf } from '../fleet/engine.ts';
import { ENGINES } from '../fleet/fleet.ts';
import { readStoreKeys } from '../fleet/store-keys.ts';
import { GATEWAY_PORT } from '../shared/topology.ts';
import { createGateway, MAX_WORKERS, MAX_WORKERS_PER_SHARD } from './http-gateway.ts';

/** One gateway process. Environment: GATEWAY_NAME, LAB_DIRECTORY. */
const environment = z.object({ GATEWAY_NAME: z.string().min(1), LAB_DIRECTORY: z.string().min(1) }).parse(process.env);
const keys = readStoreKeys(environment.LAB_DIRECTORY);

const shards = new Map(
  ENGINES.flatMap((engine) =>
    shardsOf(engine.hosts).map((shard) => [shard, engine.connectShard(shard, keys)] as const),
  ),
);

createGateway({
  name: environment.GATEWAY_NAME,
  shards,
  maxWorkers: MAX_WORKERS,
  maxWorkersPerShard: MAX_WORKERS_PER_SHARD,
}).listen(GATEWAY_PORT, () => {
  process.stdout.write(`${environment.GATEWAY_NAME} listens on port ${GATEWAY_PORT}\n`);
});
