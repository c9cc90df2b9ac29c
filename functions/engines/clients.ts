import type { ProbedShard } from '../domain/probed-shards.ts';
import type { EngineCluster } from './configuration.ts';
import type { Store, StoreCredentials, StoreProbe } from './engine.ts';
import { redisProbe } from './redis/probe.ts';
import { redisStore } from './redis/store.ts';

/** Apart from the registry: only functions that talk to stores carry their clients. A new engine is one more case each. */
export function storeOf(cluster: EngineCluster, credentials: StoreCredentials): Store {
  switch (cluster.engine) {
    case 'redis':
      return redisStore(cluster, credentials);
  }
}

export function probeOf(cluster: EngineCluster, credentials: StoreCredentials, probed: ProbedShard): StoreProbe {
  switch (cluster.engine) {
    case 'redis':
      return redisProbe({ ...probed, cluster, credentials });
  }
}
