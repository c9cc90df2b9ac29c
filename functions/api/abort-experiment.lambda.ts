import { auditLog, leaseStore } from '../admission/stores-from-env.ts';
import { dynamoClient } from '../aws/clients.ts';
import { requireEnv } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { Reservations } from '../tables/reservations.ts';
import { abortExperiment } from './abort-experiment.ts';
import { callerOf, experimentIdOf, route } from './answer.ts';

const dependencies = {
  audit: auditLog(),
  leases: leaseStore(),
  reservations: new Reservations({ dynamo: dynamoClient(), tableName: requireEnv('HOLDFAST_EXPERIMENT_TABLE') }),
  clock: systemClock,
};

export const handler = route((event) => abortExperiment(experimentIdOf(event), callerOf(event), dependencies));
