import { clusterAt } from '../domain/configuration.ts';
import type { Experiment, Fault } from '../domain/experiment.ts';
import { hitsWholeHost, hostKindOf, isHostFaultKind } from '../domain/faults/catalogue.ts';
import { FENCE_UNDO } from '../domain/faults/kind.ts';
import { type ResolvedFault, type ResolvedTargets, resolvedFault, type TargetNode } from '../domain/targets.ts';
import type { NodeCommand } from '../domain/workflow.ts';
import type { EngineCluster } from '../engines/configuration.ts';
import { engineOf, UNUSED_ENGINE_PARAMETERS } from '../engines/registry.ts';

/** What every command of a run has in common. */
export interface CommandContext {
  experiment: Pick<Experiment, 'experimentId'>;
  targets: ResolvedTargets;
  /** Of the configuration: each fault has its own cluster. */
  clusters: Readonly<Record<string, EngineCluster>>;
  leaseGraceSeconds: number;
}

/**
 * The commands of those faults that a host's watchdog applies, one for each impacted node, and of a fault on a whole host
 * one for each host. Faults that FIS applies have none: see fis-fault.ts.
 *
 * @param ttlSeconds what remains of the experiment's life when they are sent: all faults end together.
 * @throws Error when a fault has no resolved targets or no configured cluster: nothing is sent to a guessed host.
 */
export function nodeCommands(context: CommandContext, faults: readonly Fault[], ttlSeconds: number): NodeCommand[] {
  return faults.flatMap((fault) => {
    const { faultId, kind } = fault;
    if (!isHostFaultKind(kind)) return [];
    const resolved = resolvedFault(context.targets, faultId);
    const { fence, command } = hostKindOf(kind);
    return commanded(fault, resolved).map((node) => {
      const cluster = clusterAt(clusterOfFault(context.clusters, fault), node.port);
      const { parameters, undo } = command(fault.parameters, resolved, cluster);
      return {
        faultId,
        kind,
        node: node.name,
        instanceId: node.instanceId,
        parameters: {
          ...commonParameters(context, fault, cluster, ttlSeconds),
          ...UNUSED_ENGINE_PARAMETERS,
          ...(fence ? engineOf(cluster).fenceParameters(node, resolved.shardMembers) : {}),
          ...parameters,
        },
        undo: fence && engineOf(cluster).fences ? [...undo, FENCE_UNDO] : undo,
      };
    });
  });
}

/** A host is told once, whichever of its nodes were named. */
function commanded({ kind }: Fault, { impacted }: ResolvedFault): TargetNode[] {
  return hitsWholeHost(kind) ? [...new Map(impacted.map((node) => [node.instanceId, node])).values()] : impacted;
}

function clusterOfFault(clusters: CommandContext['clusters'], { faultId, cluster: name }: Fault): EngineCluster {
  const cluster = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
  if (!cluster) throw new Error(`fault ${faultId}: cluster ${name} is not configured`);
  return cluster;
}

/** @param cluster as it is for the node */
function commonParameters(
  { experiment, targets, clusters, leaseGraceSeconds }: CommandContext,
  fault: Fault,
  cluster: EngineCluster & { port: number },
  ttlSeconds: number,
): Record<string, string> {
  const exempt = targets.exemptAddresses[fault.cluster];
  // Empty is an answer, unknown is not: a fault that may cut its own lease off is not sent.
  if (!exempt) throw new Error(`fault ${fault.faultId}: the telemetry addresses of ${fault.cluster} are not known`);
  const ports = engineOf(clusterOfFault(clusters, fault)).ports;
  return {
    experimentId: experiment.experimentId,
    faultId: fault.faultId,
    ttlSeconds: String(ttlSeconds),
    leaseGraceSeconds: String(leaseGraceSeconds),
    engine: cluster.engine,
    unit: cluster.unit,
    // The node's own first.
    storePorts: [...new Set([cluster.port, ...ports])].join(','),
    exemptAddresses: exempt.join(','),
  };
}
