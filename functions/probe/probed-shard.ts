import { type Experiment, firstFault } from '../domain/experiment.ts';
import { isInShard, type ResolvedTargets, type TargetNode } from '../domain/targets.ts';
import type { ProbedShard } from '../engines/engine.ts';

/**
 * One probe an experiment: it measures the cluster of the first fault, the first shard of that fault's first node.
 * @throws Error without resolved targets: a guessed shard would measure nothing
 */
export function probedShard(experiment: Experiment, targets: ResolvedTargets | undefined): ProbedShard {
  const { faultId, cluster } = firstFault(experiment);
  const shard = targets?.faults.find((fault) => fault.faultId === faultId)?.impacted[0]?.roles[0]?.shard;
  if (shard === undefined) throw new Error('targets: required, the probe measures on an impacted shard');
  // Another cluster may have a shard, and nodes, of the same names.
  const ofCluster = experiment.faults.filter((fault) => fault.cluster === cluster).map((fault) => fault.faultId);
  const faults = (targets?.faults ?? []).filter((fault) => ofCluster.includes(fault.faultId));
  const inShard = (nodes: TargetNode[]) => nodes.filter((node) => isInShard(node, shard));
  return {
    shard,
    members: once(faults.flatMap(({ shardMembers }) => inShard(shardMembers))),
    impacted: once(faults.flatMap(({ impacted }) => inShard(impacted))),
  };
}

function once(nodes: readonly TargetNode[]): TargetNode[] {
  return [...new Map(nodes.map((node) => [node.name, node])).values()];
}
