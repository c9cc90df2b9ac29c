import { readAlarmStates } from '../admission/alarm-states.ts';
import type { Baseline, ExperimentRun } from '../experiment/workflow.ts';
import { cloudWatchClient } from '../shared/clients.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { configuredClusters } from '../target/cluster.ts';
import { auditLogFromEnv, observeCluster } from '../target/dependencies.ts';
import { checkSteadyState } from './check-steady-state.ts';
import { PrometheusClient } from './prometheus.ts';

const audit = auditLogFromEnv();

export async function handler({ experimentId, experiment }: ExperimentRun): Promise<Record<string, Baseline>> {
  const configuration = loadConfiguration();
  const clusters = Object.entries(configuredClusters(experiment, configuration)).map(([name, cluster]) => ({
    name,
    cluster,
    telemetry: new PrometheusClient(cluster.telemetry.prometheusUrl),
    readTopology: async () => (await observeCluster(cluster, configuration)).topology,
  }));
  return checkSteadyState(experimentId, clusters, {
    readAlarmStates: (names) => readAlarmStates(cloudWatchClient(), names),
    audit,
  });
}
