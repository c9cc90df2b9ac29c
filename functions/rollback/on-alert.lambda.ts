import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, leases, locks } from '../aws/wiring.ts';
import { REFUSED_ALERTS } from '../domain/metrics.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { metrics } from '../runtime/metrics.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type OnAlertResult, onAlert } from './on-alert.ts';

const dependencies = {
  clusters: Object.keys(loadConfiguration().clusters),
  topicArn: environmentVariable(ENVIRONMENT.alertTopic),
  countRefused: () => {
    metrics.addMetric(REFUSED_ALERTS, MetricUnit.Count, 1);
    metrics.publishStoredMetrics();
  },
  locks: locks(),
  audit: auditLog('event'),
  leases: leases(),
  clock: systemClock,
};

export function handler(event: unknown): Promise<OnAlertResult> {
  return onAlert(event, dependencies);
}
