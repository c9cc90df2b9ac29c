import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog } from '../aws/wiring.ts';
import { ScheduleLog } from '../tables/schedule-log.ts';
import { callerOf, route } from './answer.ts';
import { pauseSchedule } from './pause-schedule.ts';
import { withSchedule } from './schedule-answer.ts';

const { schedules } = loadConfiguration();
const scheduleLog = new ScheduleLog(auditLog('event'));

/** Of two routes, `…/pause` and `…/resume`. */
export const handler = route((event) =>
  withSchedule(event, schedules, (name) =>
    pauseSchedule(name, event.resource.endsWith('/pause'), callerOf(event), scheduleLog),
  ),
);
