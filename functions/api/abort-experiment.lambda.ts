import { auditLog, leases, reservations } from '../aws/wiring.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { abortExperiment } from './abort-experiment.ts';
import { callerOf, route, withExperimentId } from './answer.ts';

const dependencies = { audit: auditLog('event'), leases: leases(), reservations: reservations(), clock: systemClock };

export const handler = route((event) =>
  withExperimentId(event, (id) => abortExperiment(id, callerOf(event), dependencies)),
);
