import { resolvedFault } from '../inject/node-command.ts';
import type { Fault } from './experiment.ts';
import { isServiceFaultKind, type ServiceFaultKind, serviceKindOf } from './faults/catalogue.ts';
import type { ServiceAction } from './faults/kind.ts';
import type { ResolvedTargets } from './workflow.ts';

/** One fault that AWS FIS is asked to apply, complete before anything is created: it goes into the audit log first. */
export interface ServiceFault {
  faultId: string;
  kind: ServiceFaultKind;
  cluster: string;
  nodes: { node: string; instanceId: string }[];
  action: ServiceAction;
}

/**
 * Those of the faults that run in FIS.
 *
 * @param remainingSeconds of the experiment's life when they are started.
 * @throws Error when a fault has no resolved targets, or targets that its kind cannot have.
 */
export function serviceFaults(
  { targets }: { targets: ResolvedTargets },
  faults: readonly Fault[],
  remainingSeconds: number,
): ServiceFault[] {
  return faults.flatMap((fault) => {
    const { faultId, kind, cluster, parameters } = fault;
    if (!isServiceFaultKind(kind)) return [];
    const resolved = resolvedFault(targets, faultId);
    const refusal = serviceKindOf(kind).refuseTargets?.(parameters, resolved);
    if (refusal) throw new Error(`fault ${faultId}: ${refusal}`);
    const nodes = resolved.impacted.map(({ name, instanceId }) => ({ node: name, instanceId }));
    const action = serviceKindOf(kind).action(parameters, resolved, remainingSeconds);
    return [{ faultId, kind, cluster, nodes, action }];
  });
}
