import type { EngineCluster } from './configuration.ts';
import type { SettlingFault } from './engine.ts';
import { engineOf } from './registry.ts';

/** How long the recovery of these faults on the cluster may be waited for, seconds: longer than its budget where its store settles later. */
export function recoverySecondsOf(cluster: EngineCluster, faults: readonly SettlingFault[]): number {
  const settling = engineOf(cluster).settlesAfter?.(faults) ?? [];
  return Math.max(cluster.budgets.recoverySeconds, ...settling.map(({ seconds }) => Math.ceil(seconds)));
}
