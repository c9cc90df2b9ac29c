import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { guardrailMetric, LEASE_AGE } from '../domain/metrics.ts';
import type { Reading } from '../domain/workflow.ts';
import type { MetricSink } from '../runtime/metrics.ts';

/**
 * What one evaluation saw of each cluster. What could not be read is not sent: a zero would be a lie.
 * @param leaseAgeSeconds since the beat before; undefined for the first, and where none followed the evaluation
 */
export function publishReadings(
  metrics: MetricSink,
  readings: readonly Reading[],
  leaseAgeSeconds: number | undefined,
): void {
  for (const cluster of new Set(readings.map((reading) => reading.cluster))) {
    metrics.addDimensions({ cluster });
    for (const { guardrail, value } of readings.filter((reading) => reading.cluster === cluster)) {
      if (value !== undefined) metrics.addMetric(guardrailMetric(guardrail), MetricUnit.NoUnit, value);
    }
    if (leaseAgeSeconds !== undefined) metrics.addMetric(LEASE_AGE, MetricUnit.Seconds, leaseAgeSeconds);
    metrics.publishStoredMetrics();
  }
}
