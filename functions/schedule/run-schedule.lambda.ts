import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { lambdaClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, scheduleTurns } from '../aws/wiring.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { principalOf, scheduleEventSchema } from '../domain/schedules.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { ScheduleLog } from '../tables/schedule-log.ts';
import { invokeStart } from './invoke-start.ts';
import { runSchedule } from './run-schedule.ts';

const { schedules } = loadConfiguration();
const audit = auditLog('event');
const dependencies = {
  schedules,
  audit,
  scheduleLog: new ScheduleLog(audit),
  turns: scheduleTurns(),
  clock: systemClock,
  start: (body: string, caller: Parameters<typeof invokeStart>[3]) =>
    invokeStart(lambdaClient('start'), environmentVariable(ENVIRONMENT.startFunction), body, caller),
};

/** EventBridge Scheduler delivers a time of a schedule, as often as it likes; or the API asks in the name of a caller. */
export async function handler(event: unknown, { invokedFunctionArn }: Pick<Context, 'invokedFunctionArn'>) {
  const { schedule, scheduledAt, caller } = scheduleEventSchema.parse(event);
  const [, , , , accountId = ''] = invokedFunctionArn.split(':');
  const itself = { arn: principalOf(schedule), accountId, sourceIp: 'scheduler.amazonaws.com' };
  const occurrence = { schedule, scheduledAt, caller: caller ?? itself };
  return runSchedule(occurrence, { ...dependencies, ownerToken: randomUUID() });
}
