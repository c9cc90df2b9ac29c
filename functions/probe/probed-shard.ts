import { firstFault } from '../domain/cluster.ts';
import type { Experiment } from '../domain/experiment.ts';
import type { ResolvedTargets, TargetNode } from '../domain/workflow.ts';

/** What the probe writes to. */
export interface ProbedShard {
  shard: string;
  members: TargetNode[];
  /** Nodes of the shard that any fault of the experiment hits: its writes must be on them before the first one. */
  impacted: TargetNode[];
}

/**
 * One probe an experiment: it measures the cluster of the first fault, the shard of that fault's first node.
 * @throws Error without resolved targets: a guessed shard would measure nothing
 */
export function probedShard(experiment: Experiment, targets: ResolvedTargets | undefined): ProbedShard {
  const { faultId, cluster } = firstFault(experiment);
  const shard = targets?.faults.find((fault) => fault.faultId === faultId)?.impacted[0]?.shard;
  if (shard === undefined) throw new Error('targets: required, the probe measures on an impacted shard');
  // Another cluster may have a shard, and nodes, of the same names.
  const ofCluster = experiment.faults.filter((fault) => fault.cluster === cluster).map((fault) => fault.faultId);
  const faults = (targets?.faults ?? []).filter((fault) => ofCluster.includes(fault.faultId));
  const inShard = (nodes: TargetNode[]) => nodes.filter((node) => node.shard === shard);
  return {
    shard,
    members: once(faults.flatMap(({ shardMembers }) => inShard(shardMembers))),
    impacted: once(faults.flatMap(({ impacted }) => inShard(impacted))),
  };
}

function once(nodes: readonly TargetNode[]): TargetNode[] {
  return [...new Map(nodes.map((node) => [node.name, node])).values()];
}
