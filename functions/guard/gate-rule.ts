import { clustersWithToleratedLoss } from '../domain/admitted.ts';
import type { AuditEntry } from '../domain/audit-entry.ts';
import type { Experiment } from '../domain/experiment.ts';
import { isReplacedAfter } from '../domain/faults/catalogue.ts';
import type { EngineCluster } from '../engines/configuration.ts';
import type { Engine } from '../engines/engine.ts';
import { mayExceedReplication } from '../engines/may-exceed-replication.ts';
import { refuseSilent } from '../engines/refuse-silent.ts';
import { engineOf } from '../engines/registry.ts';

/**
 * What of its engine's rule may end this run on a cluster: all of it, but for
 * - a run that was admitted to exceed what replication survives, where it still may: then that no other node falls silent;
 * - data that are moved away from an instance that the run terminates: that is its own doing, and what ends it.
 *
 * @param entries the log: who handed over the run could say anything
 */
export function gateRule(
  name: string,
  cluster: EngineCluster,
  { faults }: Pick<Experiment, 'faults'>,
  entries: readonly AuditEntry[],
): Pick<Engine, 'refuseDuring'> {
  const { refuseDuring } = engineOf(cluster);
  if (!refuseDuring) return {};
  if (clustersWithToleratedLoss(entries).includes(name) && mayExceedReplication(cluster))
    return { refuseDuring: refuseSilent };
  const terminated = faults
    .filter((fault) => fault.cluster === name && isReplacedAfter(fault.kind))
    .flatMap(({ impactedNodes }) => impactedNodes);
  return terminated.length === 0 ? { refuseDuring } : { refuseDuring: butMovedFrom(terminated, refuseDuring) };
}

function butMovedFrom(
  terminated: readonly string[],
  refuseDuring: NonNullable<Engine['refuseDuring']>,
): NonNullable<Engine['refuseDuring']> {
  return (topology, impacted) => {
    const replicaSets = topology.replicaSets?.map((set) => {
      const { isReassigned: _moved, ...still } = set;
      return set.members.some((node) => terminated.includes(node)) ? still : set;
    });
    return refuseDuring({ ...topology, ...(replicaSets ? { replicaSets } : {}) }, impacted);
  };
}
