import type { Caller } from '../domain/experiment.ts';
import type { ScheduleLog } from '../tables/schedule-log.ts';
import type { Answer } from './answer.ts';

/**
 * `POST …/schedules/{name}/pause` and `…/resume`. Repeating it changes nothing. A deployment does not resume what is paused.
 * @throws Error when it could not be written down: then it may not hold
 */
export async function pauseSchedule(
  name: string,
  paused: boolean,
  caller: Caller,
  scheduleLog: Pick<ScheduleLog, 'pauseOf' | 'pause' | 'resume'>,
): Promise<Answer> {
  const isPaused = (await scheduleLog.pauseOf(name)) !== undefined;
  if (paused && !isPaused) await scheduleLog.pause(name, caller);
  if (!paused && isPaused) await scheduleLog.resume(name, caller);
  return { status: 200, body: { schedule: name, paused } };
}
