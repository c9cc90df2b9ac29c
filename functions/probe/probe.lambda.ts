import type { Context } from 'aws-lambda';
import { openProbe } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog } from '../aws/wiring.ts';
import { clusterNamed } from '../domain/clusters.ts';
import { firstFault } from '../domain/experiment.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { probe } from './probe.ts';
import { probedShard } from './probed-shard.ts';

const audit = auditLog();

export async function handler({ experimentId, experiment, targets }: ExperimentRun, context: Context): Promise<void> {
  const cluster = clusterNamed(loadConfiguration().clusters, firstFault(experiment).cluster);
  const store = await openProbe(cluster, probedShard(experiment, targets));
  const remainingMs = () => context.getRemainingTimeInMillis();
  await probe(experimentId, store, { audit, clock: systemClock, remainingMs });
}
