import { RULE_EVALUATION_SECONDS } from '../functions/domain/timing.ts';
import type { AlertRun } from './alert-runs.ts';
import { type Provenance, provenanceText } from './provenance.ts';
import { type Measurement, renderMeasurement } from './report.ts';
import { ALERTS } from './sections.ts';

export type AlertPath = 'cloudWatch' | 'amp' | 'alertmanager';
export interface AlertsResult extends Provenance {
  runs: Record<AlertPath, readonly AlertRun[]>;
}

/** How long each way in takes, from its cause and from the alert itself. */
export function renderAlerts({ runs, ...provenance }: AlertsResult): string {
  const lifted = (path: AlertPath) => runs[path].map(({ alertToLifted }) => alertToLifted);
  const caused = (path: AlertPath) => runs[path].map(({ causeToAlert }) => causeToAlert);
  const rows: Measurement[] = [
    { name: 'CloudWatch alarm in ALARM → lifted', unit: 's', values: lifted('cloudWatch') },
    { name: 'a store silent → AMP’s rule fires', unit: 's', values: caused('amp') },
    { name: 'AMP’s rule fires → lifted', unit: 's', values: lifted('amp') },
    { name: 'requests fail → the team’s rule fires', unit: 's', values: caused('alertmanager') },
    { name: 'the team’s rule fires → lifted', unit: 's', values: lifted('alertmanager') },
  ];
  return [
    ALERTS.heading,
    '',
    `The last run of \`${ALERTS.command}\`: how long an alarm takes to lift a fault that the guard lets live. Rules of AMP are evaluated`,
    `every ${RULE_EVALUATION_SECONDS} s, those of the team every second; either Alertmanager waits 2 s for the guard. CloudWatch’s own`,
    `evaluation is not in it: the alarm is set. ${provenanceText(provenance)}`,
    '',
    '| what | unit | n | min | p50 | p90 | max | promised |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.map(renderMeasurement),
    '',
  ].join('\n');
}
