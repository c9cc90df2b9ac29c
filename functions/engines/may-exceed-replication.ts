import type { EngineCluster } from './configuration.ts';
import { engineOf } from './registry.ts';

/**
 * Whether a fault may take more nodes than replication survives. Never in production, whatever is configured. Nor where a node's
 * host keeps clients away until the others say what it is: nobody would.
 */
export function mayExceedReplication(cluster: EngineCluster): boolean {
  return cluster.tier === 'staging' && cluster.disposable && !engineOf(cluster).fences;
}
