import type { ResolvedFault, TargetNode } from '../domain/targets.ts';

/** Targets as the API shows them: of a node that has a part in one shard, that shard and role by themselves too. */
export function targetsDocument({ impacted, shardMembers, ...fault }: ResolvedFault) {
  return { ...fault, impacted: impacted.map(nodeDocument), shardMembers: shardMembers.map(nodeDocument) };
}

function nodeDocument(node: TargetNode) {
  const [first, ...others] = node.roles;
  return others.length === 0 ? { ...node, shard: first?.shard, role: first?.role } : node;
}
