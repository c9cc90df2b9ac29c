import type { ExperimentRun, RecoveryResult } from '../experiment/workflow.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { systemClock } from '../shared/system-clock.ts';
import { clusterOf } from '../target/cluster.ts';
import { auditLogFromEnv, observeCluster } from '../target/dependencies.ts';
import { verifyRecovery } from './verify-recovery.ts';

const audit = auditLogFromEnv();

export async function handler({ experimentId, experiment, rollback }: ExperimentRun): Promise<RecoveryResult> {
  const configuration = loadConfiguration();
  const cluster = clusterOf(experiment, configuration);
  return verifyRecovery(experimentId, rollback, cluster.budgets.recoverySeconds, {
    readTopology: async () => (await observeCluster(cluster, configuration)).topology,
    audit,
    clock: systemClock,
  });
}
