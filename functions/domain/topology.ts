/**
 * What a store says of itself, in words that fit every engine. A **shard** is its unit of replication: nodes that hold
 * the same data. Which roles there are is the engine's affair; some have a node that leads a shard, others none.
 */
export interface Shard {
  name: string;
  members: ShardMember[];
  /** Why it is not healthy; empty: it is. */
  problems: string[];
  /** No client reads or writes it, as with a quorum of controllers: the probe measures nothing of it. */
  unprobed?: true;
}

/**
 * Data that the store keeps on several nodes, whoever writes them: no fault may take away more of it than it survives.
 * The probe's own shards are among them.
 */
export interface ReplicaSet {
  name: string;
  members: string[];
  /** Of these, those that have all of it. */
  inSync: string[];
  /** Who takes its writes; absent: nobody does, or nobody knows. */
  leader?: string;
  /** What each member is, in the engine's own words, where by design nobody leads. */
  memberRole?: string;
  /** With fewer in sync the store refuses writes. */
  minInSync: number;
  /** What asks for so many, for a person. */
  neededFor?: string;
  /** The store is moving it to other nodes. */
  isReassigned?: true;
}

export interface NodePlace {
  name: string;
  members: string[];
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
  /** Nodes whose store does not answer; absent for an engine that tells it by `uptimeSeconds`. */
  silentNodes?: string[];
  /** What belongs to no shard. */
  problems: string[];
  /** Absent for an engine whose shards are all the data that it has. */
  replicaSets?: ReplicaSet[];
  /** Groups of nodes that stand together, as in a rack: a selector may name them. */
  places?: NodePlace[];
  /** What a person should know before the fault, and nothing is refused for. */
  warnings?: string[];
}

/** Name of the shard whose nodes coordinate a group of clients; `of` of a selector may name the group alone. */
export function groupShard(group: string): string {
  return `group-${group}`;
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
