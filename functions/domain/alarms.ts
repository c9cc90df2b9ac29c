import type { Cluster } from './configuration.ts';
import { ALERT_SEVERITIES } from './contract.ts';
import type { AlertSeverity, Experiment } from './experiment.ts';

/** Whether an alarm of that severity does not end the experiment. One that rolls back on no alarm tolerates all. */
export function isTolerated(
  severity: AlertSeverity,
  { maxAlertSeverity, automaticRollbackOnAlert }: Experiment['safetyThreshold'],
): boolean {
  return !automaticRollbackOnAlert || ALERT_SEVERITIES.indexOf(severity) <= ALERT_SEVERITIES.indexOf(maxAlertSeverity);
}

/** Names of the cluster's alarms that end the experiment when they fire; tolerated alarms are no stop conditions of FIS either. */
export function alarmsThatStop({ alarms }: Pick<Cluster, 'alarms'>, terms: Experiment['safetyThreshold']): string[] {
  return alarms.filter(({ severity }) => !isTolerated(severity, terms)).map(({ name }) => name);
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
