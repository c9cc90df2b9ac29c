import type { Context } from 'aws-lambda';
import { cloudWatchClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { auditLogFromEnv, guardLeasesFromEnv } from '../aws/wiring.ts';
import { configuredClusters } from '../domain/cluster.ts';
import { isServiceFaultKind } from '../domain/faults/catalogue.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { requireEnv } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { PrometheusClient } from '../telemetry/prometheus.ts';
import { guard } from './guard.ts';
import { guardHeartbeat } from './heartbeat.ts';

const audit = auditLogFromEnv();
const leases = guardLeasesFromEnv();
const stackName = requireEnv('HOLDFAST_STACK_NAME');

export async function handler({ experimentId, experiment, baselines }: ExperimentRun, context: Context): Promise<void> {
  const clusters = Object.entries(configuredClusters(experiment, loadConfiguration())).map(([name, cluster]) => {
    const baseline = baselines?.[name];
    if (!baseline) throw new Error(`baselines: ${name} is required, nothing is watched without a steady state`);
    return { name, cluster, baseline, telemetry: new PrometheusClient(cluster.telemetry.prometheusUrl) };
  });
  const hasServiceFaults = experiment.faults.some(({ kind }) => isServiceFaultKind(kind));
  await guard(
    { experimentId, clusters, hasServiceFaults },
    {
      audit,
      leases,
      // One attempt, and soon given up: a late heartbeat would speak for an evaluation that is long past.
      heartbeat: guardHeartbeat(cloudWatchClient({ attempts: 1, timeoutMs: 2_000 }), systemClock, stackName),
      clock: systemClock,
      remainingMs: () => context.getRemainingTimeInMillis(),
    },
  );
}
