import * as z from 'zod';
import { isFisFaultKind } from '../domain/faults/catalogue.ts';
import { cut } from '../domain/limits.ts';
import type { ResolvedTargets } from '../domain/targets.ts';
import type { ExperimentRun, ReleaseReason } from '../domain/workflow.ts';

const MAX_DETAIL_CHARACTERS = 1000;
const lambdaError = z.looseObject({ errorMessage: z.string() });

/** What the run itself tells of what may have been injected: for a log that cannot be read. */
export interface PlannedFaults {
  /** Without the faults that FIS runs: their hosts have nothing to revert, and may be stopped. */
  targets?: ResolvedTargets;
  hasFisFaults: boolean;
}

export function plannedFaults({ experiment, targets }: Pick<ExperimentRun, 'experiment' | 'targets'>): PlannedFaults {
  const inFis = new Set(experiment.faults.filter(({ kind }) => isFisFaultKind(kind)).map(({ faultId }) => faultId));
  const onHosts = targets && { ...targets, faults: targets.faults.filter(({ faultId }) => !inFis.has(faultId)) };
  return { ...(onHosts ? { targets: onHosts } : {}), hasFisFaults: inFis.size > 0 };
}

/** The reason a rollback gives to a lease that nobody has released yet: what its run shows. */
export function rollbackReason({ rollbackOnly, cause }: Pick<ExperimentRun, 'rollbackOnly' | 'cause'>): {
  reason: ReleaseReason;
  detail: string;
} {
  if (rollbackOnly) return { reason: 'SWEEP', detail: 'found by the sweep' };
  if (cause)
    return { reason: 'ROLLBACK', detail: cut(`${cause.Error}: ${messageOf(cause.Cause)}`, MAX_DETAIL_CHARACTERS) };
  return { reason: 'TTL', detail: 'the time of the experiment is over' };
}

/** A function that failed is told of as JSON, with a trace that says nothing to a person. */
function messageOf(cause: string): string {
  try {
    const { errorMessage } = lambdaError.parse(JSON.parse(cause));
    return errorMessage;
  } catch {
    return cause;
  }
}
