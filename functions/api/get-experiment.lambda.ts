import { auditReader, leases } from '../aws/wiring.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { route, withExperimentId } from './answer.ts';
import { getExperiment } from './get-experiment.ts';

const dependencies = { audit: auditReader(), leases: leases(), clock: systemClock };

export const handler = route((event) => withExperimentId(event, (id) => getExperiment(id, dependencies)));
