import { isServiceFaultKind } from '../domain/faults/catalogue.ts';
import type { ExperimentRun, ResolvedTargets } from '../domain/workflow.ts';

/** What the run itself tells of what may have been injected: for a log that cannot be read. */
export interface PlannedFaults {
  /** Without the faults that FIS runs: their hosts have nothing to revert, and may be stopped. */
  targets?: ResolvedTargets;
  hasServiceFaults: boolean;
}

export function plannedFaults({ experiment, targets }: Pick<ExperimentRun, 'experiment' | 'targets'>): PlannedFaults {
  const inService = new Set(
    experiment.faults.filter(({ kind }) => isServiceFaultKind(kind)).map(({ faultId }) => faultId),
  );
  const onHosts = targets && { ...targets, faults: targets.faults.filter(({ faultId }) => !inService.has(faultId)) };
  return { ...(onHosts ? { targets: onHosts } : {}), hasServiceFaults: inService.size > 0 };
}
