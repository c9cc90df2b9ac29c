import { lambdaClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { invokeAdmit } from '../aws/invoke-admit.ts';
import { auditLog, executions, killSwitches, leases, locks, reservations, topic } from '../aws/wiring.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { ANNOUNCEMENT_SEVERITY } from '../domain/notifications.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import type { StartDependencies } from './start-experiment.ts';

/** What a function that may start experiments works with, from the environment that the stack sets. */
export function startDependencies(): StartDependencies {
  const { clusters, notifications } = loadConfiguration();
  return {
    audit: auditLog('event'),
    switches: killSwitches(),
    leases: leases('ordinary'),
    locks: locks(),
    reservations: reservations(),
    admit: (experiment, caller) =>
      invokeAdmit(lambdaClient('admission'), environmentVariable(ENVIRONMENT.admitFunction), experiment, caller),
    executions: executions(),
    announcer: {
      announce: notifications.announce,
      // Only where something is announced has such a function a topic.
      publish: (notice) => topic(ANNOUNCEMENT_SEVERITY).publish(notice),
      countSubscribers: () => topic(ANNOUNCEMENT_SEVERITY).countSubscribers(),
    },
    clusters,
    clock: systemClock,
  };
}
