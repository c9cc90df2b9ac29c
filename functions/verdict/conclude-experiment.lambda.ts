import { Metrics } from '@aws-lambda-powertools/metrics';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { auditLog, clusterLocks } from '../admission/stores-from-env.ts';
import { dynamoClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import type { ExperimentRun, Verdict } from '../domain/workflow.ts';
import { requireEnv } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type ConcludeDependencies, conclude } from './conclude.ts';
import { publishVerdict } from './verdict-metrics.ts';

const documents = DynamoDBDocumentClient.from(dynamoClient());
const recordTable = requireEnv('HOLDFAST_RECORD_TABLE');

const metrics = new Metrics({ namespace: 'Holdfast', serviceName: 'holdfast' });

const dependencies: ConcludeDependencies = {
  audit: auditLog(),
  locks: clusterLocks(),
  writeRecord: async (row) => {
    await documents.send(new PutCommand({ TableName: recordTable, Item: row }));
  },
  publish: (experiment, verdict) => publishVerdict(metrics, experiment, verdict),
  clusters: loadConfiguration().clusters,
  clock: systemClock,
};

export function handler(run: ExperimentRun): Promise<Verdict> {
  return conclude(run, dependencies);
}
