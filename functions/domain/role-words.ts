import type { ChosenNodes } from './experiment.ts';
import { type Selector, selectorText } from './selectors.ts';
import type { ShardRole } from './targets.ts';
import { groupShard } from './topology.ts';

/** What a node is, shard by shard. */
export interface NodeRoles {
  name: string;
  roles: readonly Pick<ShardRole, 'shard' | 'role'>[];
}

/** A broker may have a part in dozens of shards. */
const MAX_SHOWN = 4;

/** What the requests of these faults said instead of the node's name. */
export function selectorsOf(name: string, faults: readonly { chosenBy?: ChosenNodes[] | undefined }[]): Selector[] {
  return faults.flatMap(({ chosenBy = [] }) =>
    chosenBy.filter(({ nodes }) => nodes.includes(name)).map(({ selector }) => selector),
  );
}

/** Not of `rest` and the like, and of data that are no shard: they stand for no role in a shard. */
export function isRoleOf({ role, of }: Selector, part: NodeRoles['roles'][number]): boolean {
  return role === part.role && (of === undefined || of === part.shard || groupShard(of) === part.shard);
}

/**
 * `leader of orders-0, as asked for; leader of holdfast-probe-1; controller of quorum; and 3 more`: first what the node was
 * chosen by, then what no other node is in its shard, as who leads. Pure.
 *
 * @param members all nodes of its shards
 * @returns empty when nothing is known
 */
export function rolesText({ name, roles }: NodeRoles, askedFor: readonly Selector[], members: readonly NodeRoles[]) {
  const words = ({ role, of }: Selector) => selectorText({ role, of });
  const isAsked = (part: NodeRoles['roles'][number]) => askedFor.some((selector) => isRoleOf(selector, part));
  const isAlone = ({ shard, role }: NodeRoles['roles'][number]) =>
    !members.some(
      (other) => other.name !== name && other.roles.some((one) => one.shard === shard && one.role === role),
    );
  const rank = (part: NodeRoles['roles'][number]) => (isAsked(part) ? 0 : isAlone(part) ? 1 : 2);
  const other = askedFor.filter((selector) => !roles.some((part) => isRoleOf(selector, part))).map(words);
  const all = [
    ...[...new Set(other)].map((text) => `${text}, as asked for`),
    ...[...roles]
      .sort((a, b) => rank(a) - rank(b))
      .map((part) => `${words({ role: part.role, of: part.shard })}${isAsked(part) ? ', as asked for' : ''}`),
  ];
  const more = all.length - MAX_SHOWN;
  return [...all.slice(0, MAX_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}
