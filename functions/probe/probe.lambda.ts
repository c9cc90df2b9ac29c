import type { Context } from 'aws-lambda';
import type { ExperimentRun } from '../experiment/workflow.ts';
import { secretsManagerClient } from '../shared/clients.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { systemClock } from '../shared/system-clock.ts';
import { clusterOf } from '../target/cluster.ts';
import { readCredentials } from '../target/credentials.ts';
import { auditLogFromEnv } from '../target/dependencies.ts';
import { impactedShard } from './impacted-shard.ts';
import { probe } from './probe.ts';
import { redisProbe } from './redis-probe.ts';

const audit = auditLogFromEnv();

export async function handler(run: ExperimentRun, context: Context): Promise<void> {
  const cluster = clusterOf(run.experiment, loadConfiguration());
  const credentials = await readCredentials(secretsManagerClient(), cluster);
  const shard = redisProbe({ ...impactedShard(run.targets), cluster, credentials });
  const remainingMs = () => context.getRemainingTimeInMillis();
  await probe(run.experimentId, shard, { audit, clock: systemClock, remainingMs });
}
