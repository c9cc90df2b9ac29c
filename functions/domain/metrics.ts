import { BUDGETS } from './experiment.ts';
import { GUARD_HEARTBEAT } from './names.ts';

/** Metrics that functions write and the dashboard reads. */
export const METRICS_NAMESPACE = GUARD_HEARTBEAT.namespace;
/** A dimension of all of them, by the library. */
export const SERVICE_NAME = 'holdfast';

/** One a fault of a concluded run. */
export const RUN_DIMENSIONS = ['cluster', 'faultKind', 'status', 'outcome'] as const;
export const RUN_METRICS = {
  concluded: 'experimentsConcluded',
  /** From the first look of the rollback until every host had proved that it is clean. */
  rollback: 'rollbackSeconds',
  rto: BUDGETS[0],
} as const;

/** What the guard sees, once an evaluation. */
export const GUARD_DIMENSIONS = ['cluster'] as const;
/** How old the lease had become when it was renewed: beyond the grace hosts revert. */
export const LEASE_AGE = 'leaseAgeSeconds';
export function guardrailMetric(guardrail: string): string {
  return `guardrail.${guardrail}`;
}

/** Messages to the topic of alerts that were none. */
export const REFUSED_ALERTS = 'alertMessagesRefused';
