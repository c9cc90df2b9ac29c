import type { Fault } from './experiment.ts';
import { type FisFaultKind, fisKindOf, isFisFaultKind } from './faults/catalogue.ts';
import type { FisAction } from './faults/kind.ts';
import { type ResolvedTargets, resolvedFault } from './targets.ts';
import type { FisRollback } from './workflow.ts';

/**
 * States of a FIS experiment that end a fault before its time. `completed` is not among them: a reboot is complete at once,
 * and an action that lasts does so beyond the TTL.
 */
export const EARLY_FIS_ENDS: readonly string[] = ['stopping', 'stopped', 'failed'];

/** One fault that AWS FIS is asked to apply, complete before anything is created: it goes into the audit log first. */
export interface FisFault {
  faultId: string;
  kind: FisFaultKind;
  cluster: string;
  nodes: { node: string; instanceId: string }[];
  action: FisAction;
}

/**
 * Those of the faults that run in FIS.
 *
 * @param remainingSeconds of the experiment's life when they are started.
 * @throws Error when a fault has no resolved targets, or targets that its kind cannot have.
 */
export function fisFaults(
  { targets }: { targets: ResolvedTargets },
  faults: readonly Fault[],
  remainingSeconds: number,
): FisFault[] {
  return faults.flatMap((fault) => {
    const { faultId, kind, cluster, parameters } = fault;
    if (!isFisFaultKind(kind)) return [];
    const resolved = resolvedFault(targets, faultId);
    const refusal = fisKindOf(kind).refuseTargets?.(parameters, resolved);
    if (refusal) throw new Error(`fault ${faultId}: ${refusal}`);
    const nodes = resolved.impacted.map(({ name, instanceId }) => ({ node: name, instanceId }));
    const action = fisKindOf(kind).action(parameters, resolved, remainingSeconds);
    return [{ faultId, kind, cluster, nodes, action }];
  });
}

/** The narrow port to the service that applies what no host can. */
export interface FisFaults {
  /**
   * Creates and starts one experiment of the service, and waits until it runs. Recorded by the caller beforehand.
   * @throws WorkflowError LeaseReleased when the right to go on ended on the way; then it is told to stop.
   * @throws Error with the reason when it does not run. That may be wrong: the caller rolls back.
   */
  inject(experimentId: string, service: FisFault): Promise<{ fisExperimentId: string }>;
  /**
   * Ends every experiment of the service that carries the experiment's tag, brings the targets back and deletes what
   * was made for it. Works from the id alone, and never rejects: a failure is a result.
   * @param announced ids of the faults that may be there, empty when nobody knows: one that is not found is looked for
   *   a while, because its injection may still be under way
   * @param deadlineMs of the monotonic clock
   */
  rollBack(experimentId: string, announced: readonly string[], deadlineMs: number): Promise<FisRollback[]>;
}
