import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { BudgetName, Experiment } from '../domain/experiment.ts';
import type { Verdict } from '../domain/workflow.ts';

/** The part of the metrics library that is used here. */
export type MetricSink = Pick<Metrics, 'addDimensions' | 'addMetric' | 'publishStoredMetrics'>;

/** One name and unit a budget; a budget that is not here would be a metric that nobody can find. */
const UNITS: Record<BudgetName, (typeof MetricUnit)[keyof typeof MetricUnit]> = {
  rtoSeconds: MetricUnit.Seconds,
  unavailableSeconds: MetricUnit.Seconds,
  lostAcknowledgedWrites: MetricUnit.Count,
};

/**
 * Each run's recovery time and losses as CloudWatch metrics per cluster and fault kind, so that drift shows over many
 * runs. What was not measured is not sent: a zero would be a lie.
 */
export function publishVerdict(metrics: MetricSink, experiment: Experiment, verdict: Verdict): void {
  for (const { cluster, kind } of experiment.faults) {
    metrics.addDimensions({ cluster, faultKind: kind, status: verdict.status });
    metrics.addMetric('experimentsConcluded', MetricUnit.Count, 1);
    for (const { name, measured } of verdict.budgets.filter((budget) => budget.cluster === cluster)) {
      if (measured !== undefined) metrics.addMetric(name, UNITS[name], measured);
    }
    metrics.publishStoredMetrics();
  }
}
