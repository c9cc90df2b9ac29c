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

/** A node on the other side: nothing is done to it, so nothing else of it is carried along. */
export type PeerNode = Pick<TargetNode, 'name' | 'addresses'>;

export interface ResolvedFault {
  faultId: string;
  impacted: TargetNode[];
  /** Nodes on the other side of a network fault. */
  peers: PeerNode[];
  /** Nodes of the impacted shards: the store's own neighbourhood (Sentinels to ask when the fence may fall). */
  shardMembers: TargetNode[];
}

/** A network interface in a subnet, whosever it is: of an instance, a function, a load balancer, an endpoint. */
export interface SubnetInterface {
  interfaceId: string;
  subnetId: string;
  /** Absent: it is no instance's. */
  instanceId?: string;
  addresses: string[];
  /** EC2's words on it, for a person. */
  description: string;
}

/** What stands around the targets of one fault, for kinds that hit more than their nodes. */
export interface Surroundings {
  /** All live nodes of the cluster, named or not. */
  nodes: readonly Pick<TargetNode, 'name' | 'availabilityZone'>[];
  /** All interfaces in the subnets of the impacted nodes. */
  interfaces: readonly SubnetInterface[];
  /** Where the guard and the other functions of this deployment run. */
  ownSubnetIds: readonly string[];
  /** Addresses of the cluster's telemetry. */
  exemptAddresses: readonly string[];
}

export interface ResolvedTargets {
  faults: ResolvedFault[];
  /** Cluster → addresses of telemetry that no fault may cut: Prometheus, resolved from inside the VPC. */
  exemptAddresses: Record<string, string[]>;
}
