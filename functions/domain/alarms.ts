import type { Cluster } from './configuration.ts';
import { ALERT_SEVERITIES } from './contract.ts';
import type { AlertSeverity, Experiment } from './experiment.ts';

/** Does an alarm of that severity leave the experiment alone? One that rolls back on no alarm tolerates all. */
export function isTolerated(
  severity: AlertSeverity,
  { maxAlertSeverity, automaticRollbackOnAlert }: Experiment['safetyThreshold'],
): boolean {
  return !automaticRollbackOnAlert || ALERT_SEVERITIES.indexOf(severity) <= ALERT_SEVERITIES.indexOf(maxAlertSeverity);
}

/** Names of the cluster's alarms that end the experiment when they fire: the others end it in FIS as little as here. */
export function alarmsThatStop({ alarms }: Pick<Cluster, 'alarms'>, terms: Experiment['safetyThreshold']): string[] {
  return alarms.filter(({ severity }) => !isTolerated(severity, terms)).map(({ name }) => name);
}
