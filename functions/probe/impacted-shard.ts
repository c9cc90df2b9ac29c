import type { ResolvedTargets, TargetNode } from '../experiment/workflow.ts';

/** The shard that the probe writes to: the first impacted one, preferring one whose master is hit. */
export function impactedShard(targets: ResolvedTargets | undefined): {
  shard: string;
  members: TargetNode[];
  impacted: TargetNode[];
} {
  const faults = targets?.faults ?? [];
  const allImpacted = faults.flatMap((fault) => fault.impacted);
  const chosen = allImpacted.find((node) => node.role === 'master') ?? allImpacted[0];
  if (!chosen) throw new Error('targets: required, the probe measures on an impacted shard');
  const inShard = (node: TargetNode) => node.shard === chosen.shard;
  const members = new Map(
    faults.flatMap((fault) => fault.shardMembers.filter(inShard)).map((node) => [node.name, node]),
  );
  return { shard: chosen.shard, members: [...members.values()], impacted: allImpacted.filter(inShard) };
}
