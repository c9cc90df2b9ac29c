import { auditReader, leaseStore } from '../admission/stores-from-env.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { experimentIdOf, route } from './answer.ts';
import { getExperiment } from './get-experiment.ts';

const dependencies = { audit: auditReader(), leases: leaseStore(), clock: systemClock };

export const handler = route((event) => getExperiment(experimentIdOf(event), dependencies));
