/**
 * What a store says of itself, in words that fit every engine. A **shard** is its unit of replication: nodes that hold
 * the same data. Which roles there are is the engine's affair; some have a node that leads a shard, others none.
 */
export interface Shard {
  name: string;
  members: ShardMember[];
  /** Why it is not healthy; empty: it is. */
  problems: string[];
}

export interface ShardMember {
  node: string;
  /** In the engine's own words; absent when nobody knows, or not all agree. */
  role?: string;
}

export interface StoreTopology {
  shards: Shard[];
  /** Node name → the address under which the store itself knows the node. */
  advertisedAddresses: Record<string, string>;
  /** Node name → for how long its store has run, seconds; absent for a node that does not tell. */
  uptimeSeconds?: Record<string, number>;
  /** What belongs to no shard. */
  problems: string[];
}

/** Names of all nodes that have a part in the shard. */
export function membersOf({ members }: Pick<Shard, 'members'>): string[] {
  return members.map(({ node }) => node);
}

/** Everything that keeps a store from being healthy; empty: healthy. A store without a shard is not. */
export function topologyProblems(topology: StoreTopology): string[] {
  return [
    ...(topology.shards.length === 0 ? ['store: no shard is known'] : []),
    ...topology.problems.map((problem) => `store: ${problem}`),
    ...topology.shards.flatMap((shard) => shard.problems.map((problem) => `${shard.name}: ${problem}`)),
  ];
}
