import type { ProbeChoices } from '../domain/experiment.ts';
import type { ProbedShard } from '../domain/probed-shards.ts';
import type { EngineCluster } from './configuration.ts';
import type { Store, StoreAccess, StoreProbe } from './engine.ts';

/**
 * Apart from the registry: only functions that talk to stores carry their clients, and a deployment without an engine does
 * not pay for loading its client. A new engine is one more case each.
 */
export async function loadClients(engine: EngineCluster['engine']): Promise<void> {
  await LOADING[engine]();
}

const LOADING = {
  redis: () => Promise.all([import('./redis/store.ts'), import('./redis/probe.ts')]),
  kafka: () => Promise.all([import('./kafka/store.ts'), import('./kafka/probe.ts')]),
  cassandra: () => Promise.all([import('./cassandra/store.ts'), import('./cassandra/probe.ts')]),
} as const satisfies Record<EngineCluster['engine'], () => Promise<unknown>>;

export async function storeOf(cluster: EngineCluster, access: StoreAccess): Promise<Store> {
  switch (cluster.engine) {
    case 'redis':
      return (await import('./redis/store.ts')).redisStore(cluster, access);
    case 'kafka':
      return (await import('./kafka/store.ts')).kafkaStore(cluster, access);
    case 'cassandra':
      return (await import('./cassandra/store.ts')).cassandraStore(cluster, access);
  }
}

export async function probeOf(
  cluster: EngineCluster,
  access: StoreAccess,
  probed: ProbedShard,
  choices: ProbeChoices,
): Promise<StoreProbe> {
  switch (cluster.engine) {
    case 'redis':
      return (await import('./redis/probe.ts')).redisProbe({ ...probed, cluster, access, choices });
    case 'kafka':
      return (await import('./kafka/probe.ts')).kafkaProbe({ ...probed, cluster, access, choices });
    case 'cassandra':
      return (await import('./cassandra/probe.ts')).cassandraProbe({ ...probed, cluster, access, choices });
  }
}
