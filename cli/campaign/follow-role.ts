import { rolesOf, type SeenTarget } from '../target-node.ts';

/** Which node must take the place of which; `NONE`: the first named node has the role. */
export type RoleChange =
  | { kind: 'NONE' }
  | { kind: 'SWAP'; from: string; to: string }
  | { kind: 'NOBODY'; reason: string };

/** Who has the role now, in a shard of the first node that the experiment names. */
export function findRole(role: string, targets: readonly SeenTarget[]): RoleChange {
  const target = targets.find(({ impacted }) => impacted.length > 0);
  const first = target?.impacted[0];
  if (!target || !first) return { kind: 'NOBODY', reason: 'the dry run named no impacted node' };
  const own = rolesOf(first);
  if (own.some((each) => each.role === role)) return { kind: 'NONE' };
  const shards = own.map(({ shard }) => shard);
  const seen = (target.shardMembers ?? []).flatMap((node) =>
    rolesOf(node)
      .filter(({ shard }) => shards.includes(shard))
      .map((each) => ({ name: node.name, role: each.role })),
  );
  const holders = seen.filter((each) => each.role === role).map(({ name }) => name);
  const [holder] = holders.sort();
  if (holder !== undefined) return { kind: 'SWAP', from: first.name, to: holder };
  const roles = [...new Set(seen.map((each) => each.role))].sort().join(', ') || 'none';
  return { kind: 'NOBODY', reason: `no node of ${shards.join(', ')} is ${role} now; its roles: ${roles}` };
}
