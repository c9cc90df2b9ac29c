import * as z from 'zod';
import { clusterFields, portNumber, refineCluster } from '../../domain/configuration.ts';

/** Redis with Sentinel. */
export const redisClusterSchema = z
  .strictObject({
    engine: z.literal('redis'),
    ...clusterFields,
    redis: z
      .strictObject({
        sentinelPort: portNumber.default(26379),
        /** What the masters are configured with; a target may never leave a shard with fewer replicas than this. */
        minReplicasToWrite: z.int().min(0).default(1),
      })
      .prefault({}),
  })
  .superRefine(refineCluster)
  .refine(({ port, redis }) => ![port].flat().includes(redis.sentinelPort), {
    path: ['redis', 'sentinelPort'],
    message: 'is a port of the store',
  });
export type RedisCluster = z.output<typeof redisClusterSchema>;
