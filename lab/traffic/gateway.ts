import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { connectShard, shardStore } from '../fleet/redis/shard-client.ts';
import { LAB_FILES } from '../shared/files.ts';
import { REDIS_HOSTS, SENTINEL_PORT, SHARDS } from '../shared/topology.ts';
import { createGateway, MAX_WORKERS, MAX_WORKERS_PER_SHARD } from './http-gateway.ts';

/** One gateway process. Environment: GATEWAY_NAME, GATEWAY_PORT (8080), LAB_DIRECTORY. */
const environment = z
  .object({
    GATEWAY_NAME: z.string().min(1),
    GATEWAY_PORT: z.coerce.number().int().min(1).max(65535).default(8080),
    LAB_DIRECTORY: z.string().min(1),
  })
  .parse(process.env);
const credentials = z
  .object({ username: z.string().min(1), password: z.string().min(1) })
  .parse(JSON.parse(await readFile(join(environment.LAB_DIRECTORY, LAB_FILES.storeSecret), 'utf8')));

const shards = new Map(
  SHARDS.map((shard) => {
    const sentinels = REDIS_HOSTS.filter((host) => host.shard === shard).map((host) => ({
      host: host.dataAddress,
      port: SENTINEL_PORT,
    }));
    return [shard, shardStore(connectShard({ shard, sentinels }, credentials))] as const;
  }),
);

createGateway({
  name: environment.GATEWAY_NAME,
  shards,
  maxWorkers: MAX_WORKERS,
  maxWorkersPerShard: MAX_WORKERS_PER_SHARD,
}).listen(environment.GATEWAY_PORT, () => {
  process.stdout.write(`${environment.GATEWAY_NAME} listens on port ${environment.GATEWAY_PORT}\n`);
});
