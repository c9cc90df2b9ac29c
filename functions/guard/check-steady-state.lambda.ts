import { readAlarmStates } from '../aws/alarm-states.ts';
import { cloudWatchClient } from '../aws/clients.ts';
import { observeCluster } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { telemetryOpener } from '../aws/open-telemetry.ts';
import { auditLog } from '../aws/wiring.ts';
import { requireAdmitted } from '../domain/admitted.ts';
import { configuredClusters } from '../domain/clusters.ts';
import type { Baseline, ExperimentRun } from '../domain/workflow.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { checkSteadyState } from './check-steady-state.ts';

const audit = auditLog();

export async function handler({ experimentId, experiment }: ExperimentRun): Promise<Record<string, Baseline>> {
  const configuration = loadConfiguration();
  requireAdmitted(await audit.read(experimentId), experiment);
  const openTelemetry = telemetryOpener();
  const clusters = Object.entries(configuredClusters(experiment, configuration)).map(([name, cluster]) => ({
    name,
    cluster,
    telemetry: openTelemetry(cluster),
    readTopology: async () => (await observeCluster(cluster, configuration)).topology,
  }));
  return checkSteadyState(experiment, clusters, {
    readAlarmStates: (names) => readAlarmStates(cloudWatchClient(), names),
    audit,
    clock: systemClock,
  });
}
