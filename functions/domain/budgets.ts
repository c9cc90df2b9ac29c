import type { Cluster } from './configuration.ts';
import type { BudgetVerdict } from './experiment.ts';
import type { ProbeMeasurement } from './workflow.ts';

/**
 * What a client may suffer, against what the probe measured. What was not measured is not met: a probe that never
 * wrote proves nothing, and a client that was still failing at the end has no recovery time.
 */
export function judgeBudgets(
  limits: Pick<Cluster['budgets'], 'rtoSeconds' | 'lostAcknowledgedWrites'>,
  probe: ProbeMeasurement | undefined,
): BudgetVerdict[] {
  return [
    budget('rtoSeconds', limits.rtoSeconds, measuredRtoSeconds(probe)),
    budget('lostAcknowledgedWrites', limits.lostAcknowledgedWrites, measuredLoss(probe)),
  ];
}

/** 0 when no operation failed from the fault on; undefined when it was not measured. */
export function measuredRtoSeconds(probe: ProbeMeasurement | undefined): number | undefined {
  if (!probe?.provenOnImpacted || probe.stillFailing || probe.attemptedWrites === 0) return undefined;
  return probe.rtoSeconds ?? 0;
}

/** Acknowledged writes that were gone afterwards; undefined when none was acknowledged, or not there, or not readable. */
export function measuredLoss(probe: ProbeMeasurement | undefined): number | undefined {
  return probe?.provenOnImpacted && probe.acknowledgedWrites > 0 ? probe.lostAcknowledgedWrites : undefined;
}

function budget(name: string, limit: number, measured: number | undefined): BudgetVerdict {
  return {
    name,
    limit,
    ...(measured === undefined ? {} : { measured }),
    met: measured !== undefined && measured <= limit,
  };
}
