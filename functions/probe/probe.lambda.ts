import type { Context } from 'aws-lambda';
import type { ExperimentRun } from '../experiment/workflow.ts';
import { secretsManagerClient } from '../shared/clients.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { systemClock } from '../shared/system-clock.ts';
import { configuredClusters, firstFault } from '../target/cluster.ts';
import { readCredentials } from '../target/credentials.ts';
import { auditLogFromEnv } from '../target/dependencies.ts';
import { probe } from './probe.ts';
import { probedShard } from './probed-shard.ts';
import { redisProbe } from './redis-probe.ts';

const audit = auditLogFromEnv();

export async function handler(run: ExperimentRun, context: Context): Promise<void> {
  const cluster = configuredClusters(run.experiment, loadConfiguration())[firstFault(run.experiment).cluster];
  if (!cluster) throw new Error('faults: the first one names no configured cluster');
  const credentials = await readCredentials(secretsManagerClient(), cluster);
  const shard = redisProbe({ ...probedShard(run.experiment, run.targets), cluster, credentials });
  const remainingMs = () => context.getRemainingTimeInMillis();
  await probe(run.experimentId, shard, { audit, clock: systemClock, remainingMs });
}
