import type { ProbedShard } from '../domain/probed-shards.ts';
import type { EngineCluster } from './configuration.ts';
import type { Store, StoreAccess, StoreProbe } from './engine.ts';
import { redisProbe } from './redis/probe.ts';
import { redisStore } from './redis/store.ts';

/** Apart from the registry: only functions that talk to stores carry their clients. A new engine is one more case each. */
export function storeOf(cluster: EngineCluster, access: StoreAccess): Store {
  switch (cluster.engine) {
    case 'redis':
      return redisStore(cluster, access);
  }
}

export function probeOf(cluster: EngineCluster, access: StoreAccess, probed: ProbedShard): StoreProbe {
  switch (cluster.engine) {
    case 'redis':
      return redisProbe({ ...probed, cluster, access });
  }
}
