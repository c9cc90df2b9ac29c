import type { ExperimentRun, RecoveryResult } from '../experiment/workflow.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { systemClock } from '../shared/system-clock.ts';
import { configuredClusters } from '../target/cluster.ts';
import { auditLogFromEnv, observeCluster, openStore } from '../target/dependencies.ts';
import type { LiveNode } from '../target/ec2-nodes.ts';
import { verifyRecovery } from './verify-recovery.ts';

const audit = auditLogFromEnv();

export async function handler({ experiment, rollback }: ExperimentRun): Promise<RecoveryResult> {
  const configuration = loadConfiguration();
  const clusters = Object.entries(configuredClusters(experiment, configuration)).map(([name, cluster]) => ({
    name,
    recoverySeconds: cluster.budgets.recoverySeconds,
    observe: () => observeCluster(cluster, configuration),
    repair: async (nodes: readonly LiveNode[]) => (await openStore(cluster)).repair(nodes),
  }));
  return verifyRecovery(experiment, rollback, clusters, { audit, clock: systemClock });
}
