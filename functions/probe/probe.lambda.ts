import type { Context } from 'aws-lambda';
import { secretsManagerClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { readCredentials } from '../aws/credentials.ts';
import { auditLogFromEnv } from '../aws/wiring.ts';
import { configuredClusters, firstFault } from '../domain/cluster.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { redisProbe } from '../engines/redis/probe.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { probe } from './probe.ts';
import { probedShard } from './probed-shard.ts';

const audit = auditLogFromEnv();

export async function handler(run: ExperimentRun, context: Context): Promise<void> {
  const cluster = configuredClusters(run.experiment, loadConfiguration())[firstFault(run.experiment).cluster];
  if (!cluster) throw new Error('faults: the first one names no configured cluster');
  const credentials = await readCredentials(secretsManagerClient(), cluster);
  const shard = redisProbe({ ...probedShard(run.experiment, run.targets), cluster, credentials });
  const remainingMs = () => context.getRemainingTimeInMillis();
  await probe(run.experimentId, shard, { audit, clock: systemClock, remainingMs });
}
