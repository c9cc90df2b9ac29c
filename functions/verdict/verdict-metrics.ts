import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { AuditEntry } from '../domain/audit-entry.ts';
import type { BudgetName, Experiment } from '../domain/experiment.ts';
import { RUN_METRICS } from '../domain/metrics.ts';
import { rollbackSecondsOf } from '../domain/rollback-time.ts';
import type { Verdict } from '../domain/workflow.ts';
import type { MetricSink } from '../runtime/metrics.ts';

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
export function publishVerdict(
  metrics: MetricSink,
  experiment: Experiment,
  verdict: Verdict,
  entries: readonly AuditEntry[],
): void {
  const rollbackSeconds = rollbackSecondsOf(entries);
  for (const { cluster, kind } of experiment.faults) {
    metrics.addDimensions({ cluster, faultKind: kind, status: verdict.status, outcome: verdict.outcome });
    metrics.addMetric(RUN_METRICS.concluded, MetricUnit.Count, 1);
    if (rollbackSeconds !== undefined) metrics.addMetric(RUN_METRICS.rollback, MetricUnit.Seconds, rollbackSeconds);
    for (const { name, measured } of verdict.budgets.filter((budget) => budget.cluster === cluster)) {
      if (measured !== undefined) metrics.addMetric(name, UNITS[name], measured);
    }
    metrics.publishStoredMetrics();
  }
}
