import type { ScheduleRun } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import type { Caller } from '../domain/experiment.ts';
import { cut, MAX_REASON_CHARACTERS } from '../domain/limits.ts';
import { isUndecided, type Problem, problem } from '../domain/problem.ts';
import { bodyAt, experimentIdAt, principalOf, type Schedule, type Schedules } from '../domain/schedules.ts';
import { isExperiment, stateOf } from '../domain/status.ts';
import { SCHEDULE_TURN_MS, SCHEDULE_TURN_WAIT_MS } from '../domain/timing.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { ScheduleLog } from '../tables/schedule-log.ts';
import type { ScheduleTurns } from '../tables/schedule-turns.ts';

/** One time of a schedule, or the time at which somebody asked for it. */
export interface Occurrence {
  schedule: string;
  /** ISO 8601, UTC, whole seconds. */
  scheduledAt: string;
  /** The principal of the schedule, or who asked. */
  caller: Caller;
}

/** What the start of an experiment answered. */
export interface StartAnswer {
  status: number;
  body: unknown;
}

export interface RunScheduleDependencies {
  schedules: Schedules;
  scheduleLog: Pick<ScheduleLog, 'pauseOf' | 'endOf' | 'record'>;
  turns: Pick<ScheduleTurns, 'take' | 'giveBack'>;
  audit: Pick<AuditLog, 'read'>;
  clock: Clock;
  /** Random, and made for this invocation alone. */
  ownerToken: string;
  /** The same function that answers `POST` of an experiment, in the name of `caller`. */
  start(body: string, caller: Caller): Promise<StartAnswer>;
}

const POLL_MS = 500;

/** One time could be neither started nor refused; whoever delivered it may do so again. */
export class ScheduleFailed extends Error {
  override name = 'ScheduleFailed';
}

export interface ScheduleEnd {
  run: ScheduleRun;
  answer: StartAnswer;
}

/**
 * One at a time for each time of a schedule: looks whether it had an end before, and whether the schedule is paused; asks for the
 * start; writes down what came of it. A refusal is an end: a second delivery of the same time starts nothing, also where the
 * first was refused.
 * @throws Error where nothing was decided, or what was decided could not be written down
 */
export async function runSchedule(occurrence: Occurrence, dependencies: RunScheduleDependencies): Promise<ScheduleEnd> {
  const { schedule: name, scheduledAt } = occurrence;
  const { schedules, turns, ownerToken, clock } = dependencies;
  const schedule = Object.hasOwn(schedules, name) ? schedules[name] : undefined;
  if (!schedule) throw new ScheduleFailed(`there is no schedule ${name}`);
  const nowEpochMs = clock.nowEpochMs();
  const until = { nowEpochMs, untilEpochMs: nowEpochMs + SCHEDULE_TURN_MS };
  if (!(await turns.take(name, scheduledAt, ownerToken, until))) return endOfOther(occurrence, dependencies);
  try {
    return await runInTurn(schedule, occurrence, dependencies);
  } finally {
    // Else it is void by itself.
    await turns.giveBack(name, scheduledAt, ownerToken).catch((error: unknown) => {
      log.warn('turn not given back', { schedule: name, scheduledAt, error: String(error) });
    });
  }
}

/** @throws ScheduleFailed where the other one has come to none: too little time is left to ask for the start then */
async function endOfOther(
  { schedule: name, scheduledAt }: Occurrence,
  { scheduleLog, clock }: RunScheduleDependencies,
): Promise<ScheduleEnd> {
  const deadlineMs = clock.monotonicMs() + SCHEDULE_TURN_WAIT_MS;
  for (;;) {
    const end = await scheduleLog.endOf(name, scheduledAt);
    if (end) return { run: end, answer: answerOf(end) };
    if (clock.monotonicMs() >= deadlineMs) break;
    await clock.sleep(POLL_MS);
  }
  throw new ScheduleFailed(
    `${experimentIdAt(name, scheduledAt)}: somebody else asks for it, and nothing has come of that`,
  );
}

async function runInTurn(
  schedule: Schedule,
  { schedule: name, scheduledAt, caller }: Occurrence,
  { scheduleLog, audit, start }: RunScheduleDependencies,
): Promise<ScheduleEnd> {
  const experimentId = experimentIdAt(name, scheduledAt);
  const of = { schedule: name, scheduledAt, experimentId };

  // A person who asks again within a second is no second delivery; the id keeps that from starting twice.
  const isDelivered = caller.arn === principalOf(name);
  const before = isDelivered ? await scheduleLog.endOf(name, scheduledAt) : undefined;
  if (before) return { run: before, answer: answerOf(before) };
  const end = async (run: ScheduleRun, answer: StartAnswer) => {
    await scheduleLog.record(run, caller);
    return { run, answer };
  };
  const pause = await scheduleLog.pauseOf(name);
  if (pause) {
    const detail = `not started: schedule ${name} was paused by ${pause.by} at ${pause.at}`;
    const run: ScheduleRun = {
      ...of,
      result: 'PAUSED',
      problem: problem('schedule-paused', detail, { schedule: name }),
    };
    return end(run, answerOf(run));
  }
  const answer = await start(bodyAt(name, schedule, scheduledAt), caller).catch((error: unknown) => noAnswer(error));
  if (answer.status < 300) return end({ ...of, result: resultOf(answer) }, answer);
  const why = problemIn(answer) ?? problem('internal-error', `the start answered ${answer.status}`);
  // The log decides, not the answer: an earlier delivery may have started it and died before it could write that down.
  const found = await foundInLog(experimentId, audit);
  if (found.started) return end({ ...of, result: resultOf(found.started) }, found.started);
  if (!isUndecided(why) && !found.problem) return end({ ...of, result: 'REFUSED', problem: why }, answer);

  const failure = found.problem ?? why;
  await scheduleLog.record({ ...of, result: 'FAILED', problem: failure }, caller).catch((error: unknown) => {
    log.error('failure not recorded', { ...of, error: String(error) });
  });
  throw new ScheduleFailed(`${experimentId}: ${failure.detail}`);
}

/** `started`: answered as its start was, or would have been. `problem`: nobody knows. */
async function foundInLog(
  experimentId: string,
  audit: Pick<AuditLog, 'read'>,
): Promise<{ started?: StartAnswer; problem?: Problem }> {
  try {
    const entries = await audit.read(experimentId);
    if (!isExperiment(entries)) return {};
    return { started: { status: 202, body: { experimentId, status: stateOf(entries).status } } };
  } catch (error) {
    const detail = `whether it was started before is not known: ${cut(String(error), MAX_REASON_CHARACTERS)}`;
    return { problem: problem('control-plane-unknown', detail) };
  }
}

function resultOf({ body }: StartAnswer): ScheduleRun['result'] {
  return (body as { status?: unknown } | null)?.status === 'PENDING_APPROVAL' ? 'PENDING_APPROVAL' : 'STARTED';
}

/** It may have been started all the same: then the next delivery is given what is stored. */
function noAnswer(error: unknown): StartAnswer {
  const body = problem(
    'control-plane-unknown',
    `the start gave no answer: ${cut(String(error), MAX_REASON_CHARACTERS)}`,
  );
  return { status: body.status, body };
}

function answerOf({ experimentId, result, problem: document }: ScheduleRun): StartAnswer {
  if (document) return { status: document.status, body: document };
  return { status: 202, body: { experimentId, status: result } };
}

function problemIn({ body }: StartAnswer): Problem | undefined {
  const { type, detail } = (body ?? {}) as { type?: unknown; detail?: unknown };
  const isOurs = typeof type === 'string' && type.startsWith('urn:holdfast:problem:') && typeof detail === 'string';
  return isOurs ? (body as Problem) : undefined;
}
