import type { EngineCluster } from './configuration.ts';
import { engineOf } from './registry.ts';

/**
 * Whether a fault may take more nodes than replication survives. Never in production, whatever is configured; nor where those that
 * are left could not tell us how they are.
 */
export function mayExceedReplication(cluster: EngineCluster): boolean {
  return cluster.tier === 'staging' && cluster.disposable && engineOf(cluster).answersAlone;
}
