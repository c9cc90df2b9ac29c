import type { CanaryRun } from '../domain/canary-first.ts';
import type { CalendarState } from '../domain/change-calendar.ts';
import type { FaultKind } from '../domain/faults/catalogue.ts';
import type { Hypothesis } from '../domain/hypothesis.ts';
import type { KillSwitch } from '../domain/kill-switch.ts';
import type { ScalingGroup } from '../domain/scaling-groups.ts';
import type { LiveNode, SubnetInterface } from '../domain/targets.ts';
import type { StoreTopology } from '../domain/topology.ts';
import type { CheckReading, Reading } from '../domain/workflow.ts';
import type { EngineCluster } from '../engines/configuration.ts';

/** What admission looks at. Each may throw: then the answer is unknown, and unknown refuses. */
export interface AdmissionPorts {
  /** The kill switch that keeps experiments from this cluster, if one is engaged. */
  engagedSwitch(clusterName: string): Promise<KillSwitch | undefined>;
  /** The experiment that holds the cluster; undefined when it is free. */
  lockHolder(clusterName: string): Promise<string | undefined>;
  listLiveNodes(cluster: EngineCluster): Promise<LiveNode[]>;
  readTopology(cluster: EngineCluster, nodes: LiveNode[]): Promise<StoreTopology>;
  readGuardrails(clusterName: string, cluster: EngineCluster): Promise<Reading[]>;
  /** Checks that are read from the cluster's Prometheus, as they were before the fault. */
  readChecks(clusterName: string, cluster: EngineCluster, hypothesis: Hypothesis): Promise<CheckReading[]>;
  /** Share of the client traffic that these shards serve, 0 to 1. */
  readTrafficShare(cluster: EngineCluster, hit: { shards: string[]; nodes: string[] }): Promise<number>;
  /** Addresses of telemetry that no fault may cut, as seen from inside the VPC. */
  exemptAddresses(cluster: EngineCluster): Promise<string[]>;
  /** CloudWatch's state of each named alarm; a missing name is an alarm that does not exist. */
  readAlarmStates(names: string[]): Promise<Map<string, string>>;
  /** Of an SSM Change Calendar; asked only where the cluster has one. */
  changeCalendar(name: string): Promise<CalendarState>;
  /** Runs of the kind on that cluster since then, the newest first; asked only where another cluster must come first. */
  runsOn(clusterName: string, kind: FaultKind, sinceEpochMs: number): Promise<CanaryRun[]>;
  /** Everything that has an address in these subnets; none is asked for unless a fault would cut one off. */
  interfacesIn(subnetIds: string[]): Promise<SubnetInterface[]>;
  /** Those of the instances that have instance store volumes; asked only before a fault that would empty them. */
  instanceStoreOf(instanceIds: string[]): Promise<string[]>;
  /** Those of the Auto Scaling groups that exist; none is asked for where no target is in one. */
  scalingGroups(names: string[]): Promise<ScalingGroup[]>;
  /** Experiments that are active in FIS, whoever started them; asked only when one is to be added. */
  activeFisExperiments(): Promise<number>;
}

/** The same, but a cluster that this experiment holds counts as free. */
export function toleratingLock(ports: AdmissionPorts, heldBy: string | undefined): AdmissionPorts {
  const lockHolder = async (clusterName: string) => {
    const holder = await ports.lockHolder(clusterName);
    return holder === heldBy ? undefined : holder;
  };
  return { ...ports, lockHolder };
}
