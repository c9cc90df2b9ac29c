import type { LiveNode } from '../aws/live-nodes.ts';
import type { Cluster } from '../domain/configuration.ts';
import type { SubnetInterface } from '../domain/targets.ts';
import type { Reading } from '../domain/workflow.ts';
import type { StoreTopology } from '../engines/engine.ts';

/** What admission looks at. Each may throw: then the answer is unknown, and unknown refuses. */
export interface AdmissionPorts {
  killSwitchEngaged(): Promise<boolean>;
  /** The experiment that holds the cluster; undefined when it is free. */
  lockHolder(clusterName: string): Promise<string | undefined>;
  listLiveNodes(cluster: Cluster): Promise<LiveNode[]>;
  readTopology(cluster: Cluster, nodes: LiveNode[]): Promise<StoreTopology>;
  readGuardrails(clusterName: string, cluster: Cluster): Promise<Reading[]>;
  /** Share of the client traffic that these shards serve, 0 to 1. */
  readTrafficShare(cluster: Cluster, shards: string[]): Promise<number>;
  /** Addresses of telemetry that no fault may cut, as seen from inside the VPC. */
  exemptAddresses(cluster: Cluster): Promise<string[]>;
  /** CloudWatch's state of each named alarm; a missing name is an alarm that does not exist. */
  readAlarmStates(names: string[]): Promise<Map<string, string>>;
  /** Everything that has an address in these subnets; none is asked for unless a fault would cut one off. */
  interfacesIn(subnetIds: string[]): Promise<SubnetInterface[]>;
  /** Those of the instances that have instance store volumes; asked only before a fault that would empty them. */
  instanceStoreOf(instanceIds: string[]): Promise<string[]>;
  /** Experiments that are active in FIS, whoever started them; asked only when one is to be added. */
  activeServiceExperiments(): Promise<number>;
}
