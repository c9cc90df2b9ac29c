import type { Context } from 'aws-lambda';
import type { ExperimentRun } from '../experiment/workflow.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { systemClock } from '../shared/system-clock.ts';
import { clusterOf } from '../target/cluster.ts';
import { auditLogFromEnv, guardLeasesFromEnv } from '../target/dependencies.ts';
import { guard } from './guard.ts';
import { PrometheusClient } from './prometheus.ts';

const audit = auditLogFromEnv();
const leases = guardLeasesFromEnv();

export async function handler(run: ExperimentRun, context: Context): Promise<void> {
  const cluster = clusterOf(run.experiment, loadConfiguration());
  if (!run.baseline) throw new Error('baseline: required, nothing is watched without a steady state');
  await guard(
    { experimentId: run.experimentId, cluster, baseline: run.baseline },
    {
      audit,
      leases,
      telemetry: new PrometheusClient(cluster.telemetry.prometheusUrl),
      clock: systemClock,
      remainingMs: () => context.getRemainingTimeInMillis(),
    },
  );
}
