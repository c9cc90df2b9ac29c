import { toleratedLossOf } from '../domain/admitted.ts';
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
 * - data that are moved while an instance that the run terminates is replaced: that is its own doing, and what ends it.
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
  const tolerated = toleratedLossOf(entries, name);
  if (tolerated && mayExceedReplication(cluster)) return tolerated.isOnAll ? {} : { refuseDuring: refuseSilent };
  const isReplaced = faults.some((fault) => fault.cluster === name && isReplacedAfter(fault.kind));
  return { refuseDuring: isReplaced ? whateverIsMoved(refuseDuring) : refuseDuring };
}

/** A node that copies its data to another shows in every set that it is in. */
function whateverIsMoved(refuseDuring: NonNullable<Engine['refuseDuring']>): NonNullable<Engine['refuseDuring']> {
  return (topology, impacted) => {
    const replicaSets = topology.replicaSets?.map(({ isReassigned: _moved, ...set }) => set);
    return refuseDuring({ ...topology, ...(replicaSets ? { replicaSets } : {}) }, impacted);
  };
}
