import type { FieldError } from './problem.ts';
import { ALL, MINORITY, REST, type Selector } from './selectors.ts';
import { groupShard, type NodePlace, type ReplicaSet, type ShardMember, type StoreTopology } from './topology.ts';

/** A name, or what to look for. */
export type NodeEntry = string | Selector;

export type Selection = { ok: true; nodes: string[] } | { ok: false; error: FieldError };

/** Something of the store whose members have roles. */
interface Home {
  name: string;
  members: ShardMember[];
  problems: string[];
  /** Every copy of whatever data has that role: who names none means a shard. */
  byNameOnly?: true;
}

/** Of long lists only the first ones are shown. */
const MAX_SHOWN = 20;

/**
 * The nodes that a selector stands for, now. Pure and deterministic: where several would do, the first by name.
 * What is not certain is not chosen: one member without a certain role, and nothing of its shard is.
 *
 * @param live names of all live nodes of the cluster
 * @param others nodes that the other entries of the fault stand for: what is left is the rest
 * @returns the names in order, each once, at least one; or which field of the selector is wrong, and what there is
 */
export function selectNodes(
  selector: Selector,
  live: readonly string[],
  others: readonly string[],
  topology: StoreTopology,
): Selection {
  if (selector.role === REST) return restOf(live, others);
  const homes = homesOf(topology).map((home) => ({ ...home, problems: [...home.problems, ...topology.problems] }));
  if (selector.role === ALL) return allOf(selector, homes, topology.places);
  return selector.role === MINORITY ? minorityOf(selector, homes) : holdersOf(selector, homes, topology);
}

function restOf(live: readonly string[], others: readonly string[]): Selection {
  const nodes = inOrder(live.filter((name) => !others.includes(name)));
  return nodes.length > 0
    ? chosen(nodes)
    : refused('role', 'is nobody: every live node is named already', inOrder(live));
}

/** Those first whose role most members have: who leads is alone in its role. */
function minorityOf({ of = '' }: Selector, homes: readonly Home[]): Selection {
  const [home] = homes.filter(isNamed(of));
  if (!home) return unknownHome(of, homes);
  const uncertain = uncertainIn(home);
  if (uncertain) return uncertain;
  const { members } = home;
  const size = Math.floor((members.length - 1) / 2);
  if (size < 1) {
    const message = `has ${members.length} members, and a majority of them is all of them`;
    return refused('of', message, ['what has 3 members or more']);
  }
  const together = ({ role }: ShardMember) => members.filter((member) => member.role === role).length;
  const byRole = [...members].sort((a, b) => together(b) - together(a) || (a.node < b.node ? -1 : 1));
  return chosen(inOrder(byRole.slice(0, size).map(({ node }) => node)));
}

/** Where a node stands is certain without its role; what a member of a shard is has to be. */
function allOf({ of = '' }: Selector, homes: readonly Home[], places: readonly NodePlace[] = []): Selection {
  const place = places.find(({ name }) => name === of);
  if (place) return chosen(inOrder(place.members));
  const [home] = homes.filter(isNamed(of));
  if (!home) return unknownHome(of, [...homes, ...places]);
  return uncertainIn(home) ?? chosen(inOrder(home.members.map(({ node }) => node)));
}

function holdersOf({ role, of, count = 1 }: Selector, homes: readonly Home[], topology: StoreTopology): Selection {
  const named = homes.filter(of === undefined ? ({ byNameOnly }) => !byNameOnly : isNamed(of));
  if (named.length === 0) return unknownHome(of ?? '', homes);
  const having = named.filter(({ members }) => members.some((member) => member.role === role));
  const [home, ...more] = having;
  if (!home) {
    const [uncertain] = named.flatMap((each) => uncertainIn(each) ?? []);
    if (uncertain) return uncertain;
    const where = of === undefined ? 'the store' : of;
    const why = topology.problems.length > 0 ? `: ${topology.problems.join('; ')}` : '';
    return refused('role', `is no role in ${where} now${why}`, [...rolesIn(named), MINORITY, ALL, REST]);
  }
  if (of === undefined && more.length > 0) {
    const message = `is needed: ${having.length} shards have a ${role}`;
    return refused('of', message, having.map(nameOf));
  }
  const uncertain = uncertainIn(home);
  if (uncertain) return uncertain;
  const holders = inOrder(home.members.filter((member) => member.role === role).map(({ node }) => node));
  if (holders.length < count) {
    return refused('count', `is ${count}, and ${home.name} has ${holders.length} in the role ${role}`, holders);
  }
  return chosen(holders.slice(0, count));
}

function homesOf({ shards, replicaSets = [] }: StoreTopology): Home[] {
  const known = new Set(shards.map(nameOf));
  return [...shards, ...replicaSets.filter(({ name }) => !known.has(name)).map(homeOfSet)].map(withDistinctMembers);
}

/** Nobody knows what anybody is in it while nobody leads it, but where nobody ever does. */
function homeOfSet({ name, members, leader, memberRole: role }: ReplicaSet): Home {
  if (role !== undefined)
    return { name, members: members.map((node) => ({ node, role })), problems: [], byNameOnly: true };
  if (leader === undefined || !members.includes(leader)) {
    return { name, members: members.map((node) => ({ node })), problems: ['nobody leads it'] };
  }
  return {
    name,
    members: members.map((node) => ({ node, role: node === leader ? 'leader' : 'follower' })),
    problems: [],
  };
}

/** A node that a store names twice has a part in it once; two roles are none that is certain. */
function withDistinctMembers({ members, ...home }: Home): Home {
  const once = new Map<string, ShardMember>();
  for (const member of members) {
    const known = once.get(member.node);
    once.set(member.node, known && known.role !== member.role ? { node: member.node } : member);
  }
  return { ...home, members: [...once.values()] };
}

function isNamed(of: string): (home: Home) => boolean {
  return ({ name }) => name === of || name === groupShard(of);
}

function uncertainIn({ name, members, problems }: Home): Extract<Selection, { ok: false }> | undefined {
  const unknown = members.filter(({ role }) => role === undefined).map(({ node }) => node);
  if (unknown.length === 0) return undefined;
  const why = problems.length > 0 ? `: ${problems.join('; ')}` : '';
  const message = `is not certain in ${name}: no role is known of ${inOrder(unknown).join(', ')}${why}`;
  return refused('role', message, ['roles that every member has for certain']);
}

function unknownHome(of: string, homes: readonly Pick<Home, 'name'>[]): Selection {
  return refused('of', `is nothing that the store has: ${of}`, homes.map(nameOf));
}

function rolesIn(homes: readonly Home[]): string[] {
  return inOrder([...new Set(homes.flatMap(({ members }) => members.flatMap(({ role }) => role ?? [])))]);
}

function refused(field: keyof Selector, message: string, allowed: readonly string[]) {
  const shown = allowed.slice(0, MAX_SHOWN).join(', ');
  const more = allowed.length - MAX_SHOWN;
  const error = { field, message, allowed: more > 0 ? `${shown} and ${more} more` : shown || 'nothing' };
  return { ok: false, error } as const;
}

function chosen(nodes: string[]): Selection {
  return { ok: true, nodes };
}

function nameOf({ name }: Pick<Home, 'name'>): string {
  return name;
}

function inOrder(names: readonly string[]): string[] {
  return [...names].sort((a, b) => (a < b ? -1 : 1));
}
