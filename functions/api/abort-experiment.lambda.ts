import { auditLog, leaseStore } from '../admission/stores-from-env.ts';
import { abortExperiment } from './abort-experiment.ts';
import { callerOf, experimentIdOf, route } from './answer.ts';

const dependencies = { audit: auditLog(), leases: leaseStore() };

export const handler = route((event) => abortExperiment(experimentIdOf(event), callerOf(event), dependencies));
