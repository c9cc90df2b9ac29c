import type { Cluster } from '../domain/configuration.ts';
import type { Experiment, Fault } from '../domain/experiment.ts';
import { type HostFaultKind, hostKindOf, isHostFaultKind } from '../domain/faults/catalogue.ts';
import type { ResolvedFault, ResolvedTargets, TargetNode } from '../domain/workflow.ts';

/** One document for one node, complete before anything is sent: it goes into the audit log first. */
export interface NodeCommand {
  faultId: string;
  kind: HostFaultKind;
  node: string;
  instanceId: string;
  parameters: Record<string, string>;
  undo: string[];
}

/** What every command of a run has in common. */
export interface CommandContext {
  experiment: Pick<Experiment, 'experimentId'>;
  targets: ResolvedTargets;
  /** Of the configuration: each fault has its own cluster. */
  clusters: Readonly<Record<string, Cluster>>;
  leaseGraceSeconds: number;
}

/**
 * The commands of those faults that a host's watchdog applies, one for each impacted node. Faults of a service have
 * none: see service-fault.ts.
 *
 * @param ttlSeconds what remains of the experiment's life when they are sent: all faults end together.
 * @throws Error when a fault has no resolved targets or no configured cluster: nothing is sent to a guessed host.
 */
export function nodeCommands(context: CommandContext, faults: readonly Fault[], ttlSeconds: number): NodeCommand[] {
  return faults.flatMap((fault) => {
    const { kind } = fault;
    if (!isHostFaultKind(kind)) return [];
    const resolved = resolvedFault(context.targets, fault.faultId);
    const cluster = clusterOfFault(context.clusters, fault);
    const { fence, command } = hostKindOf(kind);
    const { parameters, undo } = command(fault.parameters, resolved, cluster);
    return resolved.impacted.map((node) => ({
      faultId: fault.faultId,
      kind,
      node: node.name,
      instanceId: node.instanceId,
      parameters: {
        ...commonParameters(context, fault, cluster, ttlSeconds),
        ...(fence ? fenceParameters(cluster, resolved, node) : NO_FENCE),
        ...parameters,
      },
      undo,
    }));
  });
}

/** @throws Error when the fault has no resolved targets. */
export function resolvedFault(targets: ResolvedTargets, faultId: string): ResolvedFault {
  const resolved = targets.faults.find((candidate) => candidate.faultId === faultId);
  if (!resolved || resolved.impacted.length === 0) throw new Error(`fault ${faultId}: has no resolved targets`);
  return resolved;
}

function clusterOfFault(clusters: Readonly<Record<string, Cluster>>, { faultId, cluster: name }: Fault): Cluster {
  const cluster = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
  if (!cluster) throw new Error(`fault ${faultId}: cluster ${name} is not configured`);
  return cluster;
}

function commonParameters(
  { experiment, targets, leaseGraceSeconds }: CommandContext,
  fault: Fault,
  cluster: Cluster,
  ttlSeconds: number,
): Record<string, string> {
  const exempt = targets.exemptAddresses[fault.cluster];
  // An empty list is an answer, none is not: a fault that may cut its own leash is not sent.
  if (!exempt) throw new Error(`fault ${fault.faultId}: the telemetry addresses of ${fault.cluster} are not known`);
  return {
    experimentId: experiment.experimentId,
    faultId: fault.faultId,
    ttlSeconds: String(ttlSeconds),
    leaseGraceSeconds: String(leaseGraceSeconds),
    engine: cluster.engine,
    unit: cluster.unit,
    storePorts: `${cluster.port},${cluster.redis.sentinelPort}`,
    exemptAddresses: exempt.join(','),
  };
}

const NO_FENCE = { fence: 'none', fenceMasterName: '', fenceSentinels: '', fenceCredentialsFile: '' };

/** Also for a replica: by the time of the rollback it may be the master. */
function fenceParameters(cluster: Cluster, { shardMembers }: ResolvedFault, node: TargetNode) {
  const { sentinelPort } = cluster.redis;
  const sentinels = shardMembers.filter((member) => member.shard === node.shard);
  return {
    fence: 'redis',
    fenceMasterName: node.shard,
    fenceSentinels: sentinels.map((member) => `${storeAddress(member)}:${sentinelPort}`).join(','),
    fenceCredentialsFile: cluster.hostCredentialsFile ?? '',
  };
}

/** The address under which the store knows the node; v6 in brackets, because a port follows. */
function storeAddress({ name, addresses: [first] }: TargetNode): string {
  if (first === undefined) throw new Error(`node ${name}: has no address`);
  return first.includes(':') ? `[${first}]` : first;
}
