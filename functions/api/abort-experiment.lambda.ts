import { auditLog, leaseStore } from '../admission/stores-from-env.ts';
import { dynamoClient } from '../shared/clients.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { abortExperiment } from './abort-experiment.ts';
import { callerOf, experimentIdOf, route } from './answer.ts';
import { Reservations } from './reservations.ts';

const dependencies = {
  audit: auditLog(),
  leases: leaseStore(),
  reservations: new Reservations({ dynamo: dynamoClient(), tableName: requireEnv('HOLDFAST_EXPERIMENT_TABLE') }),
  clock: systemClock,
};

export const handler = route((event) => abortExperiment(experimentIdOf(event), callerOf(event), dependencies));
