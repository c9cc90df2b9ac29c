import type { ScheduleRun } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { cut, MAX_REASON_CHARACTERS } from '../domain/limits.ts';
import { nextTime, readExpression } from '../domain/schedule-times.ts';
import { principalOf, type Schedule, type Schedules } from '../domain/schedules.ts';
import { stateOf } from '../domain/status.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { readPause, readRuns } from '../tables/schedule-log.ts';
import type { Answer } from './answer.ts';

const RECENT_RUNS = 10;

export interface ListSchedulesDependencies {
  schedules: Schedules;
  audit: Pick<AuditLog, 'latest' | 'read'>;
  clock: Pick<Clock, 'nowEpochMs'>;
}

/** `GET …/schedules`: each with its next time, and its last one with what came of it; `UNKNOWN` where the log of one cannot be read. */
export async function listSchedules(dependencies: ListSchedulesDependencies): Promise<Answer> {
  const schedules = await Promise.all(
    Object.entries(dependencies.schedules).map(([name, schedule]) =>
      scheduleDocument(name, schedule, dependencies).catch((error: unknown) => unreadable(name, schedule, error)),
    ),
  );
  return { status: 200, body: { schedules } };
}

async function scheduleDocument(
  name: string,
  schedule: Schedule,
  { audit, clock }: Pick<ListSchedulesDependencies, 'audit' | 'clock'>,
) {
  const [pause, runs] = await Promise.all([readPause(audit, name), readRuns(audit, name, RECENT_RUNS)]);
  const [last] = runs;
  // Those that somebody asked for out of turn say nothing of the next one.
  const lastOwn = runs.find(({ by }) => by === principalOf(name));
  const { enabled } = schedule;
  const comes = enabled && !pause;
  return {
    ...configured(name, schedule),
    state: pause ? 'PAUSED' : enabled ? 'ENABLED' : 'DISABLED',
    ...(pause ? { pausedAt: pause.at, pausedBy: pause.by } : {}),
    nextAt: comes ? nextAtOf(schedule, lastOwn, clock.nowEpochMs()) : null,
    lastRun: last ? { ...last, ...(await endOf(last, audit, clock.nowEpochMs())) } : null,
  };
}

/** Of a rate only from its last time: before the first one nobody but AWS knows from when on it counts. */
function nextAtOf({ expression, timeZone }: Schedule, last: ScheduleRun | undefined, nowMs: number): string | null {
  const read = readExpression(expression);
  if (!read.ok) return null;
  const { timetable } = read;
  if (timetable.kind === 'CRON') return iso(nextTime(timetable, timeZone, nowMs));
  if (!last) return null;
  const lastMs = Date.parse(last.scheduledAt);
  const periods = Math.floor(Math.max(0, nowMs - lastMs) / timetable.everyMs) + 1;
  return iso(lastMs + periods * timetable.everyMs);
}

/** How the experiment stands that was asked for; one log that cannot be read hides no other schedule. */
async function endOf({ result, experimentId }: ScheduleRun, audit: Pick<AuditLog, 'read'>, nowMs: number) {
  if (result !== 'STARTED' && result !== 'PENDING_APPROVAL') return {};
  try {
    const { status, outcome = null } = stateOf(await audit.read(experimentId), undefined, nowMs);
    return { status, outcome };
  } catch (error) {
    return { status: 'UNKNOWN', reason: reasonOf(experimentId, error) };
  }
}

/** Nobody knows then whether it is paused. */
function unreadable(name: string, schedule: Schedule, error: unknown) {
  return {
    ...configured(name, schedule),
    state: 'UNKNOWN',
    reason: reasonOf(name, error),
    nextAt: null,
    lastRun: null,
  };
}

function configured(schedule: string, { expression, timeZone, standingApproval }: Schedule) {
  return { schedule, expression, timeZone, ...(standingApproval ? { standingApproval } : {}) };
}

function reasonOf(of: string, error: unknown): string {
  log.error('log not readable', { of, error: String(error) });
  return cut(
    `its log could not be read: ${error instanceof Error ? error.message : String(error)}`,
    MAX_REASON_CHARACTERS,
  );
}

function iso(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : new Date(epochMs).toISOString();
}
