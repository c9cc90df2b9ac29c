import { auditLog, clusterLocks, leaseStore } from '../admission/stores-from-env.ts';
import { dynamoClient, lambdaClient, stepFunctionsClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { startExecution } from '../aws/start-execution.ts';
import { requireEnv } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { Reservations } from '../tables/reservations.ts';
import { bodyOf, callerOf, route } from './answer.ts';
import { invokeAdmit } from './invoke-admit.ts';
import { startExperiment } from './start-experiment.ts';

/** Longest wait for admission; the rest of API Gateway's 29 s is for the injection. */
const ADMIT_TIMEOUT_MS = 12_000;

const dependencies = {
  audit: auditLog(),
  leases: leaseStore(),
  locks: clusterLocks(),
  reservations: new Reservations({ dynamo: dynamoClient(), tableName: requireEnv('HOLDFAST_EXPERIMENT_TABLE') }),
  admit: (experiment: Parameters<typeof invokeAdmit>[2]) =>
    invokeAdmit(
      lambdaClient({ attempts: 1, timeoutMs: ADMIT_TIMEOUT_MS }),
      requireEnv('HOLDFAST_ADMIT_FUNCTION'),
      experiment,
    ),
  startExecution: (run: Parameters<typeof startExecution>[3]) =>
    startExecution(stepFunctionsClient(), requireEnv('HOLDFAST_STATE_MACHINE_ARN'), run.experimentId, run),
  clusters: loadConfiguration().clusters,
  clock: systemClock,
};

export const handler = route(
  (event) =>
    startExperiment(
      {
        body: bodyOf(event),
        dryRun: event.queryStringParameters?.dryRun === 'true',
        caller: callerOf(event),
        requestId: event.requestContext.requestId,
      },
      dependencies,
    ),
  { dryRun: ['true', 'false'] },
);
