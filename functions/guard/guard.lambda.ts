import type { Context } from 'aws-lambda';
import { cloudWatchClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, guardLeases } from '../aws/wiring.ts';
import { requireAdmittedTargets } from '../domain/admitted.ts';
import { lastOf } from '../domain/audit-entry.ts';
import { configuredClusters } from '../domain/clusters.ts';
import { isFisFaultKind } from '../domain/faults/catalogue.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { PrometheusClient } from '../telemetry/prometheus.ts';
import { guard } from './guard.ts';
import { guardHeartbeat } from './heartbeat.ts';

const audit = auditLog();
const leases = guardLeases();
const stackName = environmentVariable(ENVIRONMENT.stackName);

export async function handler(run: ExperimentRun, context: Context): Promise<void> {
  const { experimentId, experiment } = run;
  const entries = await audit.read(experimentId);
  requireAdmittedTargets(entries, run);
  // By the log: who could choose what is normal could choose what is a breach.
  const baselines = lastOf(entries, 'STEADY_STATE_CONFIRMED')?.baselines;
  const clusters = Object.entries(configuredClusters(experiment, loadConfiguration())).map(([name, cluster]) => {
    const baseline = baselines?.[name];
    if (!baseline) throw new Error(`baselines: ${name} is required, nothing is watched without a steady state`);
    return { name, cluster, baseline, telemetry: new PrometheusClient(cluster.telemetry.prometheusUrl, systemClock) };
  });
  const hasFisFaults = experiment.faults.some(({ kind }) => isFisFaultKind(kind));
  await guard(
    { experimentId, clusters, hasFisFaults },
    {
      audit,
      leases,
      heartbeat: guardHeartbeat(cloudWatchClient('heartbeat'), systemClock, stackName),
      clock: systemClock,
      remainingMs: () => context.getRemainingTimeInMillis(),
    },
  );
}
