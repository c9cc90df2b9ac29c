import type { LiveNode } from '../aws/live-nodes.ts';
import type { Cluster } from '../domain/configuration.ts';

/** The store's unit of replication, as its own members describe it. */
export interface ShardTopology {
  name: string;
  /** Node name; undefined when nobody knows or not all agree. */
  master?: string;
  /** Node names. */
  replicas: string[];
  healthy: boolean;
  /** Why it is not healthy. */
  problems: string[];
}

export interface StoreTopology {
  shards: ShardTopology[];
  /** Node name → the address under which the store itself knows the node. */
  advertisedAddresses: Record<string, string>;
  /** Node name → for how long its store has run, seconds; absent for a node that does not tell. */
  uptimeSeconds?: Record<string, number>;
  /** What belongs to no shard. */
  problems: string[];
}

/** One adapter an engine: what checks need to know of a store, and what brings it back after a fault. */
export interface Store {
  /**
   * Never rejects for a node that does not answer: unknown is a problem of the topology. So is a node that answers but
   * does not do its work (Redis: refuses writes because it could not save).
   */
  readTopology(nodes: readonly LiveNode[]): Promise<StoreTopology>;
  /**
   * Does to these nodes what the store does not do by itself once its host is well again, as far as they need it now.
   * Asked every few seconds until the topology has no problem left: idempotent, and it starts nothing twice at once.
   * @returns what was begun, one line a node; empty when nothing had to be. Never rejects: a node that cannot be
   *   repaired stays a problem of the topology.
   */
  repair(nodes: readonly LiveNode[]): Promise<string[]>;
}

/** User name and password from Secrets Manager; empty for a store without. */
export interface StoreCredentials {
  username?: string;
  password?: string;
}

export type StoreCluster = Pick<Cluster, 'port' | 'tls' | 'redis'>;

/** Everything that keeps a store from being healthy; empty: healthy. A store without a shard is not. */
export function topologyProblems(topology: StoreTopology): string[] {
  return [
    ...(topology.shards.length === 0 ? ['store: no shard is known'] : []),
    ...topology.problems.map((problem) => `store: ${problem}`),
    ...topology.shards.flatMap((shard) => shard.problems.map((problem) => `${shard.name}: ${problem}`)),
  ];
}
