import { type FiringAlarm, meaningOf } from '../domain/alarms.ts';
import type { AuditEntry } from '../domain/audit-entry.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Locks } from '../tables/locks.ts';
import { type ReleaseDependencies, releaseAndRecord } from './release-and-record.ts';

export interface AlarmDependencies extends ReleaseDependencies {
  locks: Pick<Locks, 'holder'>;
  audit: Pick<AuditLog, 'appendOnce' | 'read'>;
}

/** An alarm, and what its sender says about it, for a person. */
export type FiredAlarm = FiringAlarm & { reason: string };

/** Ids of experiments: whose lease is released, who expected it; and why nothing was done. */
export interface AlarmResult {
  released: string[];
  expected: string[];
  ignored: string[];
}

/** What is left to do of a cluster's alarms once everything that must end has ended. */
interface Expected {
  experimentId: string;
  alarms: FiredAlarm[];
  entries: AuditEntry[];
}

/**
 * Alarms, from whatever sender, each end the experiment that holds their cluster if they mean that (`meaningOf`). An experiment
 * whose terms cannot be read in time is ended as well. What must end ends first; what fails keeps nothing else from being done.
 * @param actor the function that received them
 * @throws AggregateError at the end, of the errors of the tables: deliver all of them again, what was done is not done twice
 */
export async function alarmsFired(
  alarms: readonly FiredAlarm[],
  actor: { function: string },
  dependencies: AlarmDependencies,
): Promise<AlarmResult> {
  const { clock } = dependencies;
  const result: AlarmResult = { released: [], expected: [], ignored: [] };
  const failures: unknown[] = [];
  const expected = await all([...Map.groupBy(alarms, ({ cluster }) => cluster)].map(([, those]) => end(those)));
  await all(expected.map(note));
  if (failures.length > 0) throw new AggregateError(failures, `alarms: ${failures.map(String).join('; ')}`);
  return result;

  /** Of one cluster. */
  async function end(those: FiredAlarm[]): Promise<Expected> {
    const cluster = those[0]?.cluster ?? '';
    const experimentId = await dependencies.locks.holder(cluster);
    if (experimentId === undefined) {
      for (const alarm of those) ignore(alarm, `no experiment holds ${cluster}`);
      return { experimentId: '', alarms: [], entries: [] };
    }
    const entries = await entriesOf(experimentId, dependencies);
    const ending = those.filter((alarm) => meaningOf(alarm, entries, clock.nowEpochMs()).act === 'END');
    try {
      await endBy(ending, experimentId);
    } catch (error) {
      failed({ experimentId, cluster }, error);
    }
    return { experimentId, alarms: those.filter((alarm) => !ending.includes(alarm)), entries };
  }

  async function endBy([first, ...more]: FiredAlarm[], experimentId: string): Promise<void> {
    if (!first) return;
    const { name, severity, reason } = first;
    const why = { reason: 'ALARM', detail: `${name} (${severity}): ${reason}` } as const;
    const isReleased = await releaseAndRecord(experimentId, why, actor, dependencies);
    if (isReleased) result.released.push(experimentId);
    for (const alarm of isReleased ? more : [first, ...more]) ignore(alarm, `${experimentId} was ended before`);
  }

  async function note({ experimentId, alarms: those, entries }: Expected): Promise<void> {
    const known = [...entries];
    for (const alarm of those) {
      const meaning = meaningOf(alarm, known, clock.nowEpochMs());
      if (meaning.act === 'IGNORE') ignore(alarm, meaning.why);
      if (meaning.act !== 'NOTE') continue;
      const { cluster, name, severity, firedAt } = alarm;
      const details = { cluster, alarm: name, severity, ...(firedAt === undefined ? {} : { firedAt }) };
      try {
        const entry = await dependencies.audit.appendOnce(experimentId, 'ALARM_ARRIVED', actor, details);
        if (entry) known.push(entry);
        result.expected.push(experimentId);
      } catch (error) {
        failed({ experimentId, ...alarm }, error);
      }
    }
  }

  async function all<T>(acts: Promise<T>[]): Promise<T[]> {
    const settled = await Promise.allSettled(acts);
    return settled.flatMap((each) => {
      if (each.status === 'fulfilled') return [each.value];
      failed({}, each.reason);
      return [];
    });
  }

  function failed(which: object, error: unknown): void {
    log.error('alarm not dealt with', { ...which, error: String(error) });
    failures.push(error);
  }

  function ignore(alarm: FiredAlarm, why: string): void {
    log.info('alarm ignored', { ...alarm, why });
    result.ignored.push(why);
  }
}

/** None where they cannot be read: without its terms an experiment is ended. */
async function entriesOf(experimentId: string, { audit, clock }: AlarmDependencies): Promise<AuditEntry[]> {
  try {
    return await withDeadline(audit.read(experimentId), clock);
  } catch (error) {
    log.error('terms not readable', { experimentId, error: String(error) });
    return [];
  }
}
