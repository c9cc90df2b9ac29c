import type { Cluster } from '../experiment/configuration.ts';
import type { Experiment, Fault } from '../experiment/experiment.ts';
import type { FaultKind } from '../experiment/faults.ts';
import type { ResolvedFault, ResolvedTargets, TargetNode } from '../experiment/workflow.ts';
import { networkPartition } from './kinds/network-partition.ts';
import { processKill } from './kinds/process-kill.ts';
import { processPause } from './kinds/process-pause.ts';

/** One document for one node, complete before anything is sent: it goes into the audit log first. */
export interface NodeCommand {
  faultId: string;
  kind: FaultKind;
  node: string;
  instanceId: string;
  parameters: Record<string, string>;
  undo: string[];
}

/** What every command of a run has in common. */
export interface CommandContext {
  experiment: Experiment;
  targets: ResolvedTargets;
  cluster: Cluster;
  leaseGraceSeconds: number;
}

/**
 * The commands of all faults, one for each impacted node.
 * @throws Error when a fault has no resolved targets: nothing is sent to a guessed host.
 */
export function nodeCommands(context: CommandContext): NodeCommand[] {
  return context.experiment.faults.flatMap((fault) => {
    const resolved = context.targets.faults.find((candidate) => candidate.faultId === fault.faultId);
    if (!resolved || resolved.impacted.length === 0) throw new Error(`fault ${fault.faultId}: has no resolved targets`);
    const { parameters, undo } = ofKind(fault, resolved);
    return resolved.impacted.map((node) => ({
      faultId: fault.faultId,
      kind: fault.kind,
      node: node.name,
      instanceId: node.instanceId,
      parameters: { ...commonParameters(context, fault, resolved, node), ...parameters },
      undo,
    }));
  });
}

function ofKind({ parameters }: Fault, resolved: ResolvedFault) {
  switch (parameters.kind) {
    case 'NETWORK_PARTITION':
      return networkPartition(parameters, resolved);
    case 'PROCESS_KILL':
      return processKill(parameters, resolved);
    case 'PROCESS_PAUSE':
      return processPause(parameters, resolved);
  }
}

function commonParameters(
  { experiment, targets, cluster, leaseGraceSeconds }: CommandContext,
  fault: Fault,
  resolved: ResolvedFault,
  node: TargetNode,
): Record<string, string> {
  const { sentinelPort } = cluster.redis;
  const sentinels = resolved.shardMembers.filter((member) => member.shard === node.shard);
  return {
    experimentId: experiment.experimentId,
    faultId: fault.faultId,
    ttlSeconds: String(experiment.durationSeconds),
    leaseGraceSeconds: String(leaseGraceSeconds),
    engine: cluster.engine,
    unit: cluster.unit,
    storePorts: `${cluster.port},${sentinelPort}`,
    exemptAddresses: targets.exemptAddresses.join(','),
    // Also for a replica: by the time of the rollback it may be the master.
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
