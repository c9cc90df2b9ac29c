import { lambdaClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { callerOf, route } from './answer.ts';
import { invokeSchedule, runScheduleNow } from './run-schedule.ts';
import { withSchedule } from './schedule-answer.ts';

const { schedules } = loadConfiguration();
const functionName = environmentVariable(ENVIRONMENT.scheduleFunction);

export const handler = route((event) =>
  withSchedule(event, schedules, (name) =>
    runScheduleNow(name, callerOf(event), {
      clock: systemClock,
      run: (asked) => invokeSchedule(lambdaClient('schedule'), functionName, asked),
    }),
  ),
);
