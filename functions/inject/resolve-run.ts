import { changedNodes, requireAdmitted } from '../domain/admitted.ts';
import { movedChoices } from '../domain/choose-nodes.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import type { Fault } from '../domain/experiment.ts';
import { type Network, resolveTargets } from '../domain/resolve-targets.ts';
import type { LiveNode, ResolvedFault, ResolvedTargets } from '../domain/targets.ts';
import type { StoreTopology } from '../domain/topology.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import type { AuditLog } from '../tables/audit-log.ts';

/** What was seen of one cluster of the experiment. */
export interface ClusterLook {
  name: string;
  /** Those on this cluster. */
  faults: Fault[];
  nodes: LiveNode[];
  topology: StoreTopology;
  exemptAddresses: string[];
  network: Network;
  /** See the port of its engine. */
  fences: boolean;
}

/**
 * The nodes of an admitted experiment as they are now, which must be as they were when it was admitted: who they are, where,
 * in which roles, and who is around them; and what was chosen by its role would be chosen again.
 * @param look not asked for an experiment that was not admitted
 * @throws WorkflowError NotAdmitted or TargetsUnresolved, and then nothing is recorded
 */
export async function resolveRun(
  { experimentId, experiment }: Pick<ExperimentRun, 'experimentId' | 'experiment'>,
  look: () => Promise<ClusterLook[]>,
  audit: Pick<AuditLog, 'append' | 'read'>,
): Promise<ResolvedTargets> {
  const admitted = requireAdmitted(await audit.read(experimentId), experiment);
  const looks = await look().catch((error: unknown) => {
    throw new WorkflowError(ErrorName.TargetsUnresolved, String(error), { cause: error });
  });
  const moved = looks.flatMap(({ faults, nodes, topology }) => {
    const live = nodes.map(({ name }) => name);
    return faults.flatMap((fault) => movedChoices(fault, live, topology).map(({ line }) => line));
  });
  if (moved.length > 0) throw new WorkflowError(ErrorName.TargetsUnresolved, moved.join('; '));
  const resolved = looks.flatMap(({ faults, nodes, topology, exemptAddresses, network, fences }): ResolvedFault[] =>
    resolveTargets(faults, nodes, topology, exemptAddresses, network, fences),
  );
  const targets: ResolvedTargets = {
    // In the order of the payload again.
    faults: experiment.faults.flatMap(({ faultId }) => resolved.filter((fault) => fault.faultId === faultId)),
    exemptAddresses: Object.fromEntries(looks.map(({ name, exemptAddresses }) => [name, exemptAddresses])),
  };
  const changed = changedNodes(admitted.facts.targets, targets.faults);
  if (changed.length > 0) {
    const detail = `since the admission other nodes, or in other places or roles: ${changed.join(', ')}`;
    throw new WorkflowError(ErrorName.TargetsUnresolved, detail);
  }
  await audit.append(experimentId, 'TARGETS_RESOLVED', { function: 'resolve-targets' }, { targets });
  return targets;
}
