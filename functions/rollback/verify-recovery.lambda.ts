import { clusterObserver, openStore } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { telemetryOpener } from '../aws/open-telemetry.ts';
import { auditLog, hostCommands } from '../aws/wiring.ts';
import { configuredClusters } from '../domain/clusters.ts';
import { ENVIRONMENT, ROLL_BACK_DOCUMENT } from '../domain/names.ts';
import type { LiveNode } from '../domain/targets.ts';
import type { ExperimentRun, RecoveryResult } from '../domain/workflow.ts';
import { engineOf } from '../engines/registry.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { log } from '../runtime/log.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { asLogged } from './as-logged.ts';
import { observeChecks } from './observe-checks.ts';
import { nodesBefore } from './replacement.ts';
import { startStore } from './start-store.ts';
import { type RolledBackNode, verifyRecovery } from './verify-recovery.ts';
import { watchRollback } from './watch-rollback.ts';

const audit = auditLog();
const document = `${environmentVariable(ENVIRONMENT.documentPrefix)}${ROLL_BACK_DOCUMENT}`;

export async function handler(run: ExperimentRun): Promise<RecoveryResult> {
  const configuration = loadConfiguration();
  const { experiment, rollback, facts } = await asLogged(run, audit, systemClock);
  const clusters = Object.entries(configuredClusters(experiment, configuration)).map(([name, cluster]) => ({
    name,
    recoverySeconds: cluster.budgets.recoverySeconds,
    observe: clusterObserver(cluster, configuration),
    startsNext: engineOf(cluster).startsNext,
    whenNotBack: engineOf(cluster).whenNotBack,
    settlesAfter: engineOf(cluster).settlesAfter,
    before: facts && nodesBefore(name, experiment, facts),
    start: (host: RolledBackNode) => startStore(experiment.experimentId, host, { hosts: hostCommands(), document }),
    repair: async (nodes: readonly LiveNode[]) => (await openStore(cluster)).repair(nodes),
  }));
  const recovery = await verifyRecovery(experiment, rollback, clusters, { audit, clock: systemClock });
  const openTelemetry = telemetryOpener();
  const remembered = Object.entries(configuredClusters(experiment, configuration)).map(([name, cluster]) => ({
    ...{ name, cluster, telemetry: openTelemetry(cluster) },
  }));
  const { experimentId } = experiment;
  const dependencies = { audit, clock: systemClock };
  // Without its entry the verdict confirms nothing.
  const notDone = (what: string) => (error: unknown) => log.error(what, { experimentId, error: String(error) });
  await Promise.all([
    watchRollback(experimentId, remembered, dependencies).catch(notDone('rollback not watched')),
    observeChecks(experimentId, remembered, dependencies).catch(notDone('checks not observed')),
  ]);
  return recovery;
}
