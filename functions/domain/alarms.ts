import { announcedMsOf, arrivalsOf, firedAfter } from './arrivals.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { Cluster } from './configuration.ts';
import { ALERT_SEVERITIES } from './contract.ts';
import type { AlertSeverity, Experiment } from './experiment.ts';
import { isWithin } from './measures.ts';
import { stateOf } from './status.ts';

/** What alarms mean to an experiment: CloudWatch's, and the alerts that an Alertmanager sends. */

/** One that fires. */
export interface FiringAlarm {
  cluster: string;
  name: string;
  severity: AlertSeverity;
  /** When, by the clock of whoever evaluates it: CloudWatch, or the Prometheus behind an alert (ISO 8601). Absent: nobody says. */
  firedAt?: string;
}

/** `END` ends the experiment; `NOTE`: it was expected, and its arrival goes into the log; `IGNORE` does nothing. */
export type AlarmMeaning = { act: 'END' | 'NOTE' } | { act: 'IGNORE'; why: string };

/**
 * What it means to the experiment that holds its cluster. An expected one is forgiven when it fired after the announcement of
 * the first fault, whenever it arrives: otherwise it is no consequence of the experiment, or nobody can tell. One whose
 * terms are not in the log is ended.
 */
export function meaningOf(alarm: FiringAlarm, entries: readonly AuditEntry[], nowEpochMs: number): AlarmMeaning {
  const { experiment, verdict } = stateOf(entries);
  if (verdict) return { act: 'IGNORE', why: 'its experiment is over' };
  if (!experiment) return { act: 'END' };
  const tolerated = isTolerated(alarm.severity, experiment.safetyThreshold);
  const announcedMs = announcedMsOf(entries);
  const isOfFault = ({ firedAt }: { firedAt?: string }, arrivedMs: number) =>
    announcedMs !== undefined && firedAfter(announcedMs, firedAt, arrivedMs);
  const forgiven = isOfFault(alarm, nowEpochMs);
  if (isExpected(alarm, experiment) && (forgiven || tolerated)) {
    // One from before the fault is no evidence: the first one after it is news.
    const known = arrivalsOf(alarm, entries).some(({ at, details }) => !forgiven || isOfFault(details, Date.parse(at)));
    return known
      ? { act: 'IGNORE', why: `${experiment.experimentId} expected it, and knows that it came` }
      : { act: 'NOTE' };
  }
  if (!tolerated) return { act: 'END' };
  return { act: 'IGNORE', why: `${experiment.experimentId} tolerates ${alarm.severity}` };
}

/** Whether the experiment says that it must fire, by `expectedAlerts` or by a check that the alerting rule fires. */
function isExpected(
  { cluster, name }: Pick<FiringAlarm, 'cluster' | 'name'>,
  { hypothesis }: Pick<Experiment, 'hypothesis'>,
): boolean {
  return (hypothesis?.checks ?? []).some(({ cluster: own, measure, tolerance, when }) => {
    if (own !== cluster || when !== 'HAPPENS' || isWithin(tolerance, 0)) return false;
    return (measure.kind === 'ALARM' && measure.alarm === name) || (measure.kind === 'ALERT' && measure.alert === name);
  });
}

/** Whether an alarm of that severity does not end the experiment. One that rolls back on no alarm tolerates all. */
function isTolerated(
  severity: AlertSeverity,
  { maxAlertSeverity, automaticRollbackOnAlert }: Experiment['safetyThreshold'],
): boolean {
  return !automaticRollbackOnAlert || ALERT_SEVERITIES.indexOf(severity) <= ALERT_SEVERITIES.indexOf(maxAlertSeverity);
}

/** Names of the cluster's alarms that end the experiment when they fire; the others are no stop conditions of FIS either. */
export function alarmsThatStop(
  cluster: string,
  { alarms }: Pick<Cluster, 'alarms'>,
  experiment: Pick<Experiment, 'safetyThreshold' | 'hypothesis'>,
): string[] {
  return alarms
    .filter(({ severity }) => !isTolerated(severity, experiment.safetyThreshold))
    .map(({ name }) => name)
    .filter((name) => !isExpected({ cluster, name }, experiment));
}

type AlarmNow = Cluster['alarms'][number] & { state: string };

/** Only OK is OK: an alarm without data, or one that does not exist, tells nothing. Asks nobody about no alarms. */
export async function alarmsNotOk(
  alarms: Cluster['alarms'],
  readStates: (names: string[]) => Promise<Map<string, string>>,
): Promise<AlarmNow[]> {
  if (alarms.length === 0) return [];
  const states = await readStates(alarms.map(({ name }) => name));
  return alarms
    .map((alarm) => ({ ...alarm, state: states.get(alarm.name) ?? 'MISSING' }))
    .filter(({ state }) => state !== 'OK');
}
