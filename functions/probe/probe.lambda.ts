import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { openProbe } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { telemetryOpener } from '../aws/open-telemetry.ts';
import { auditLog } from '../aws/wiring.ts';
import { requireAdmittedTargets } from '../domain/admitted.ts';
import { clusterNamed } from '../domain/clusters.ts';
import { probedShards } from '../domain/probed-shards.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { liveTelemetry } from './live-telemetry.ts';
import { probe } from './probe.ts';

const audit = auditLog();

export async function handler(run: ExperimentRun, context: Context): Promise<void> {
  const { experimentId, experiment } = run;
  // The store's credentials go to the nodes that were found, not to addresses that somebody hands over.
  const targets = requireAdmittedTargets(await audit.read(experimentId), run);
  const { clusters } = loadConfiguration();
  const probed = probedShards(experiment.faults, targets.faults);
  if (probed.length === 0) throw new Error('targets: required, the probe measures on the impacted shards');
  const shards = await Promise.all(
    probed.map(async ({ cluster, ...shard }) => ({
      cluster,
      store: await openProbe(clusterNamed(clusters, cluster), shard, experiment.probe ?? {}),
    })),
  );
  const remainingMs = () => context.getRemainingTimeInMillis();
  // Not the request's id: an event that is delivered twice has it twice.
  const openTelemetry = telemetryOpener();
  const live = Object.fromEntries(
    Object.entries(clusters).map(([name, { telemetry }]) => [
      name,
      { telemetry, prometheus: openTelemetry({ telemetry }) },
    ]),
  );
  await probe(experimentId, shards, {
    ...{ audit, clock: systemClock, remainingMs, invocation: randomUUID() },
    readTelemetry: liveTelemetry(live, systemClock),
  });
}
