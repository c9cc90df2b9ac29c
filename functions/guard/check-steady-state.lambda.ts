import { readAlarmStates } from '../admission/alarm-states.ts';
import type { Baseline, ExperimentRun } from '../experiment/workflow.ts';
import { cloudWatchClient } from '../shared/clients.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { clusterOf } from '../target/cluster.ts';
import { auditLogFromEnv, observeCluster } from '../target/dependencies.ts';
import { checkSteadyState } from './check-steady-state.ts';
import { PrometheusClient } from './prometheus.ts';

const audit = auditLogFromEnv();

export async function handler(run: ExperimentRun): Promise<Baseline> {
  const configuration = loadConfiguration();
  const cluster = clusterOf(run.experiment, configuration);
  return checkSteadyState(run.experimentId, cluster, {
    telemetry: new PrometheusClient(cluster.telemetry.prometheusUrl),
    readTopology: async () => (await observeCluster(cluster, configuration)).topology,
    readAlarmStates: (names) => readAlarmStates(cloudWatchClient(), names),
    audit,
  });
}
