import { randomUUID } from 'node:crypto';
import { lambdaClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, executions, leases, locks, reservations } from '../aws/wiring.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { bodyOf, callerOf, refuseContent, route } from './answer.ts';
import { invokeAdmit } from './invoke-admit.ts';
import { type StartDependencies, startExperiment } from './start-experiment.ts';

const dependencies: StartDependencies = {
  audit: auditLog('event'),
  leases: leases('ordinary'),
  locks: locks(),
  reservations: reservations(),
  admit: (experiment) =>
    invokeAdmit(lambdaClient('admission'), environmentVariable(ENVIRONMENT.admitFunction), experiment),
  executions: executions(),
  clusters: loadConfiguration().clusters,
  clock: systemClock,
};

export const handler = route(
  async (event) =>
    refuseContent(event) ??
    startExperiment(
      {
        body: bodyOf(event),
        dryRun: event.queryStringParameters?.dryRun === 'true',
        caller: callerOf(event),
        ownerToken: randomUUID(),
      },
      dependencies,
    ),
  { dryRun: ['true', 'false'] },
);
