import { type AuditEntry, isEntryOf, type ScheduleRun } from '../domain/audit-entry.ts';
import type { Caller } from '../domain/experiment.ts';
import type { AuditLog } from './audit-log.ts';

/** No experiment can have these ids. Apart, because the last entry of the second decides, however often a schedule comes. */
const runsOf = (name: string) => `SCHEDULE#${name}`;
const pausesOf = (name: string) => `SCHEDULE-PAUSES#${name}`;
/** Deliveries of one time come within minutes of each other. */
const RECENT_RUNS = 20;

export interface Pause {
  at: string;
  by: string;
}

/** What became of the times of each schedule, and whether it is paused: entries of the audit log, and nothing beside it. */
export class ScheduleLog {
  readonly #audit: Pick<AuditLog, 'append' | 'latest'>;

  constructor(audit: Pick<AuditLog, 'append' | 'latest'>) {
    this.#audit = audit;
  }

  /** Undefined: not paused. @throws Error when that cannot be read: unknown means that nothing is started */
  pauseOf(name: string): Promise<Pause | undefined> {
    return readPause(this.#audit, name);
  }

  async pause(name: string, caller: Caller): Promise<void> {
    await this.#audit.append(pausesOf(name), 'SCHEDULE_PAUSED', caller, { schedule: name });
  }

  async resume(name: string, caller: Caller): Promise<void> {
    await this.#audit.append(pausesOf(name), 'SCHEDULE_RESUMED', caller, { schedule: name });
  }

  /** Of that time, if it has an end; what failed has none. */
  async endOf(name: string, scheduledAt: string): Promise<ScheduleRun | undefined> {
    const runs = await readRuns(this.#audit, name, RECENT_RUNS);
    return runs.find((run) => run.scheduledAt === scheduledAt && run.result !== 'FAILED');
  }

  async record(run: ScheduleRun, caller: Caller): Promise<void> {
    await this.#audit.append(runsOf(run.schedule), 'SCHEDULE_RUN', caller, run);
  }
}

/** For who only looks. */
export async function readPause(audit: Pick<AuditLog, 'latest'>, name: string): Promise<Pause | undefined> {
  const [last] = await audit.latest(pausesOf(name), 1);
  return last?.type === 'SCHEDULE_PAUSED' ? { at: last.at, by: nameOf(last) } : undefined;
}

/** Newest first. */
export async function readRuns(
  audit: Pick<AuditLog, 'latest'>,
  name: string,
  most: number,
): Promise<(ScheduleRun & { by: string })[]> {
  const entries = await audit.latest(runsOf(name), most);
  return entries.flatMap((entry) =>
    isEntryOf(entry, 'SCHEDULE_RUN') ? [{ ...entry.details, by: nameOf(entry) }] : [],
  );
}

function nameOf({ actor }: AuditEntry): string {
  return 'arn' in actor ? actor.arn : actor.function;
}
