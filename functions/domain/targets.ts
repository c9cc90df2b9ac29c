/** Nodes as they were found live, with the store's own view of them. Knows no other part of the domain: kinds build on it. */

/** An instance that runs stores of a cluster: what a host fault is applied on. */
export interface LiveHost {
  instanceId: string;
  /** Every private address of every interface, v4 and v6, the primary one first. */
  addresses: string[];
  tags: Record<string, string>;
  availabilityZone: string;
  subnetId: string;
  /** EBS volumes that are attached to it, without the root volume. */
  dataVolumeIds: string[];
}

/** One store process: an address and a port with a name. Two stores on one instance are two nodes of one host. */
export interface LiveNode extends LiveHost {
  /** The instance's name; with its port behind it where the cluster has several ports. */
  name: string;
  port: number;
}

/** What a node is in one shard, in the engine's own words (`leader`, `follower`, …). */
export interface ShardRole {
  shard: string;
  role: string;
  /** No client reads or writes that shard. */
  unprobed?: true;
}

export interface TargetNode {
  name: string;
  instanceId: string;
  /** As a `LiveNode`; the one under which its store is known comes first. */
  addresses: string[];
  port: number;
  /** One for each shard the node has a part in; at least one. */
  roles: ShardRole[];
  availabilityZone: string;
  subnetId: string;
  dataVolumeIds: string[];
}

export function isInShard({ roles }: Pick<TargetNode, 'roles'>, shard: string): boolean {
  return roles.some((role) => role.shard === shard);
}

/** A node on the other side: nothing is done to it, so nothing else of it is carried along. */
export type PeerNode = Pick<TargetNode, 'name' | 'addresses'>;

export interface ResolvedFault {
  faultId: string;
  impacted: TargetNode[];
  /** Nodes on the other side of a network fault. */
  peers: PeerNode[];
  /** All nodes of the shards that the fault hits, also by hitting a whole host: whom the engine asks about them. */
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
  nodes: readonly Pick<LiveNode, 'name' | 'availabilityZone' | 'instanceId'>[];
  /** All interfaces in the subnets of the impacted nodes. */
  interfaces: readonly SubnetInterface[];
  /** Where the guard and the other functions of this deployment run. */
  ownSubnetIds: readonly string[];
  /** Addresses of telemetry. */
  exemptAddresses: readonly string[];
}

/** @throws Error when the fault has no resolved targets: nothing is sent to a guessed host. */
export function resolvedFault({ faults }: Pick<ResolvedTargets, 'faults'>, faultId: string): ResolvedFault {
  const resolved = faults.find((candidate) => candidate.faultId === faultId);
  if (!resolved || resolved.impacted.length === 0) throw new Error(`fault ${faultId}: has no resolved targets`);
  return resolved;
}

export interface ResolvedTargets {
  faults: ResolvedFault[];
  /** Cluster → addresses of telemetry that its faults may not cut or hit: every Prometheus, resolved from inside the VPC. */
  exemptAddresses: Record<string, string[]>;
}
