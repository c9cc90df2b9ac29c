import * as z from 'zod';
import { type NodeRoles, rolesText, selectorsOf } from '../functions/domain/role-words.ts';

/** A node of a fault as the API shows it. Documents that were kept may be older than `roles`: shard and role alone. */
export const targetNode = z.looseObject({
  name: z.string(),
  roles: z.array(z.looseObject({ shard: z.string(), role: z.string(), unprobed: z.boolean().nullish() })).nullish(),
  shard: z.string().nullish(),
  role: z.string().nullish(),
});
export type SeenNode = z.infer<typeof targetNode>;

/** What a fault says of the nodes that its request chose by their roles. */
export const chosenBy = z
  .array(
    z.looseObject({
      nodes: z.array(z.string()),
      field: z.string(),
      selector: z.looseObject({ role: z.string(), of: z.string().optional() }),
    }),
  )
  .optional();

/** The nodes of one fault. */
export interface SeenTarget {
  impacted: readonly SeenNode[];
  shardMembers?: readonly SeenNode[] | null | undefined;
}

/** One for each shard the node has a part in; empty: not known. */
export function rolesOf({ shard, role, roles }: SeenNode): NonNullable<SeenNode['roles']> {
  return roles ?? (shard && role ? [{ shard, role }] : []);
}

/** Of an impacted node, as it was at the injection; empty: not known. */
export function shownRoles(
  name: string,
  targets: readonly SeenTarget[],
  faults: Parameters<typeof selectorsOf>[1],
): string {
  const target = targets.find(({ impacted }) => impacted.some((node) => node.name === name));
  const node = target?.impacted.find((one) => one.name === name);
  if (!node) return '';
  return rolesText(withRoles(node), selectorsOf(name, faults), (target?.shardMembers ?? []).map(withRoles));
}

function withRoles(node: SeenNode): NodeRoles {
  return { name: node.name, roles: rolesOf(node) };
}
