/** What one node says, in Cassandra's own ids. Nodes are told apart by host id here, and by name everywhere else. */

/** Settings that keep streams from taking all the bandwidth there is; 0: they do not. */
export const STREAM_LIMITS = [
  'stream_throughput_outbound',
  'inter_dc_stream_throughput_outbound',
  'entire_sstable_stream_throughput_outbound',
  'entire_sstable_inter_dc_stream_throughput_outbound',
] as const;

/** A member of the ring, as it is to itself or to another. */
export interface RingMember {
  hostId: string;
  /** On which nodes reach it, and clients; as it announces them. */
  addresses: readonly string[];
  datacenter: string;
  rack: string;
  tokens: readonly bigint[];
}

export interface Heartbeat {
  hostId: string;
  /** Another one for each start. */
  generation: number;
  version: number;
  /** As `NORMAL`, `LEAVING`, `shutdown`: what the node itself said last, also when it has been dead since. */
  status: string;
}

export interface PendingHints {
  hostId: string;
  files: number;
}

export interface Keyspace {
  name: string;
  /** As `org.apache.cassandra.locator.NetworkTopologyStrategy`. */
  strategy: string;
  /** By datacenter; of `SimpleStrategy` the only one is `replication_factor`. */
  factors: Readonly<Record<string, string>>;
}

export interface NodeAnswer {
  node: string;
  self: RingMember;
  peers: readonly RingMember[];
  schema: string;
  /** Of everybody, itself included. */
  heartbeats: readonly Heartbeat[];
  hints: readonly PendingHints[];
  /** Streams under way, in words. */
  streams: readonly string[];
  /** Repairs under way, in words. */
  repairs: readonly string[];
  keyspaces: readonly Keyspace[];
  /** Whether there is the probe's table. */
  hasProbeTable: boolean;
  settings: Readonly<Record<string, string>>;
  /** What it did not tell, and why. */
  problems: readonly string[];
}

/** What one node says, or why it says nothing. */
export type NodeView = NodeAnswer | { node: string; problem: string };
