import { loadConfiguration } from '../aws/configuration.ts';
import { auditReader } from '../aws/wiring.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { route } from './answer.ts';
import { listSchedules } from './list-schedules.ts';

const dependencies = { schedules: loadConfiguration().schedules, audit: auditReader(), clock: systemClock };

export const handler = route(() => listSchedules(dependencies));
