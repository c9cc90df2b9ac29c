/** Nodes as they were found live, with the store's own view of them. Knows no other part of the domain: kinds build on it. */
export interface TargetNode {
  name: string;
  instanceId: string;
  /** Every private address of every interface, v4 and v6; the one its store advertises comes first. */
  addresses: string[];
  /** The store's unit of replication the node belongs to; for Redis the Sentinel master name. */
  shard: string;
  role: 'master' | 'replica';
  availabilityZone: string;
  subnetId: string;
  /** EBS volumes that are attached to it, without the root volume. */
  dataVolumeIds: string[];
}

export interface ResolvedFault {
  faultId: string;
  impacted: TargetNode[];
  /** Nodes on the other side of a network fault. */
  peers: TargetNode[];
  /** Nodes of the impacted shards: the store's own neighbourhood (Sentinels to ask when the fence may fall). */
  shardMembers: TargetNode[];
}

export interface ResolvedTargets {
  faults: ResolvedFault[];
  /** Cluster → addresses of telemetry that no fault may cut: Prometheus, resolved from inside the VPC. */
  exemptAddresses: Record<string, string[]>;
}
