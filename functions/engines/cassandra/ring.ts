import type { Factors } from './levels.ts';
import type { Keyspace, RingMember } from './views.ts';

/** Nodes that hold the same token ranges of a keyspace. */
export interface RangeReplicas {
  /** The upper end of the first such range. */
  token: bigint;
  /** By datacenter, host ids. */
  replicas: Readonly<Record<string, readonly string[]>>;
}

const SIMPLE = 'SimpleStrategy';
const NETWORK = 'NetworkTopologyStrategy';

/**
 * Which nodes hold each token range, as Cassandra places them: each set of replicas once, in the order of the ring.
 * Everybody is on the ring who owns tokens, alive or not. Pure.
 * @returns undefined for data that are replicated in a way nobody here knows
 */
export function rangesOf(members: readonly RingMember[], keyspace: Keyspace): RangeReplicas[] | undefined {
  const ring = members
    .flatMap((member) => member.tokens.map((token) => ({ token, member })))
    .sort((one, other) => (one.token < other.token ? -1 : 1));
  const place = placementOf(members, keyspace);
  if (!place) return undefined;
  const sets = new Map<string, RangeReplicas>();
  for (const [start, { token }] of ring.entries()) {
    const onwards = [...ring.slice(start), ...ring.slice(0, start)].map(({ member }) => member);
    const chosen = place(onwards);
    const replicas = Object.fromEntries(
      [...Map.groupBy(chosen, ({ datacenter }) => datacenter)].map(([datacenter, own]) => [
        datacenter,
        own.map(({ hostId }) => hostId).sort(),
      ]),
    );
    const key = chosen
      .map(({ hostId }) => hostId)
      .sort()
      .join();
    if (!sets.has(key)) sets.set(key, { token, replicas });
  }
  return [...sets.values()];
}

/** How many copies there are meant to be, by datacenter; of `SimpleStrategy` anywhere. Undefined: not known. */
export function factorsOf({ strategy, factors }: Keyspace): Factors | undefined {
  const numbers = Object.entries(factors).map(([name, factor]) => [name, Number(factor)] as const);
  // Of `3/1` one copy is transient: what that keeps is not counted here.
  if (numbers.some(([, factor]) => !Number.isInteger(factor))) return undefined;
  if (strategy.endsWith(SIMPLE)) return { byDatacenter: new Map(), anywhere: Number(factors.replication_factor) };
  if (!strategy.endsWith(NETWORK)) return undefined;
  const byDatacenter = new Map(numbers.filter(([, factor]) => factor > 0));
  return { byDatacenter, anywhere: [...byDatacenter.values()].reduce((sum, factor) => sum + factor, 0) };
}

type Place = (onwards: readonly RingMember[]) => RingMember[];

function placementOf(members: readonly RingMember[], keyspace: Keyspace): Place | undefined {
  const factors = factorsOf(keyspace);
  if (!factors) return undefined;
  if (keyspace.strategy.endsWith(SIMPLE)) return (onwards) => distinct(onwards).slice(0, factors.anywhere);
  const racks = Map.groupBy(members, ({ datacenter }) => datacenter);
  const rackCount = (datacenter: string) => new Set((racks.get(datacenter) ?? []).map(({ rack }) => rack)).size;
  return (onwards) =>
    [...factors.byDatacenter].flatMap(([datacenter, factor]) =>
      acrossRacks(
        distinct(onwards.filter((member) => member.datacenter === datacenter)),
        factor,
        rackCount(datacenter),
      ),
    );
}

/** A node of each rack before a second one of any, with as many repeats as the racks are too few. */
function acrossRacks(onwards: readonly RingMember[], factor: number, racks: number): RingMember[] {
  const seen = new Set<string>();
  let repeats = factor - racks;
  const chosen: RingMember[] = [];
  for (const member of onwards) {
    if (chosen.length === factor) break;
    if (seen.has(member.rack)) {
      if (repeats <= 0) continue;
      repeats -= 1;
    }
    seen.add(member.rack);
    chosen.push(member);
  }
  return chosen;
}

function distinct(members: readonly RingMember[]): RingMember[] {
  return [...new Map(members.map((member) => [member.hostId, member])).values()];
}
