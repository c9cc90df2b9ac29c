import { observeCluster, openStore } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog } from '../aws/wiring.ts';
import { configuredClusters } from '../domain/clusters.ts';
import type { LiveNode } from '../domain/targets.ts';
import type { ExperimentRun, RecoveryResult } from '../domain/workflow.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { asLogged } from './as-logged.ts';
import { verifyRecovery } from './verify-recovery.ts';

const audit = auditLog();

export async function handler(run: ExperimentRun): Promise<RecoveryResult> {
  const configuration = loadConfiguration();
  const { experiment, rollback } = await asLogged(run, audit, systemClock);
  const clusters = Object.entries(configuredClusters(experiment, configuration)).map(([name, cluster]) => ({
    name,
    recoverySeconds: cluster.budgets.recoverySeconds,
    observe: () => observeCluster(cluster, configuration),
    repair: async (nodes: readonly LiveNode[]) => (await openStore(cluster)).repair(nodes),
  }));
  return verifyRecovery(experiment, rollback, clusters, { audit, clock: systemClock });
}
