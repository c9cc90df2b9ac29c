import { auditLog, leases, reservations } from '../aws/wiring.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { abortExperiment } from './abort-experiment.ts';
import { callerOf, experimentIdOf, route } from './answer.ts';

const dependencies = { audit: auditLog('event'), leases: leases(), reservations: reservations(), clock: systemClock };

export const handler = route((event) => abortExperiment(experimentIdOf(event), callerOf(event), dependencies));
