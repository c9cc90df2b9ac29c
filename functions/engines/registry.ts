import { cassandraEngine } from './cassandra/engine.ts';
import type { EngineCluster } from './configuration.ts';
import type { Engine, EngineParameter } from './engine.ts';
import { kafkaEngine } from './kafka/engine.ts';
import { redisEngine } from './redis/engine.ts';
import { REDIS_PARAMETERS } from './redis/host-parameters.ts';

/** What is known of a cluster without asking it. A new engine is one more case. */
export function engineOf(cluster: EngineCluster): Engine {
  switch (cluster.engine) {
    case 'redis':
      return redisEngine(cluster);
    case 'kafka':
      return kafkaEngine(cluster);
    case 'cassandra':
      return cassandraEngine(cluster);
  }
}

/** Document parameters of all engines: every fault document has them, whatever engine its host runs. */
export const ENGINE_PARAMETERS: Readonly<Record<string, EngineParameter>> = { ...REDIS_PARAMETERS };

/** Their values where no fence is needed, or for another engine. */
export const UNUSED_ENGINE_PARAMETERS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ENGINE_PARAMETERS).map(([name, { unused }]) => [name, unused]),
);
