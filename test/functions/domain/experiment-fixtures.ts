import type { Experiment, Fault, RequestedExperiment, RequestedFault } from '../../../functions/domain/experiment.ts';
import type { FaultParameters } from '../../../functions/domain/faults/catalogue.ts';
import type { FisFault } from '../../../functions/domain/fis-fault.ts';
import type { BatchPlan, NodeCommand } from '../../../functions/domain/workflow.ts';

/** The mission's own example. */
export function seedPayload() {
  return {
    experimentId: 'exp_chaos_redis_019',
    targetService: 'redis-master',
    action: 'NETWORK_PARTITION',
    parameters: {
      latencyMs: 0,
      packetLossPct: 100,
      targetPartitionGroupA: ['redis-node-1', 'redis-node-2'],
      targetPartitionGroupB: ['redis-node-3'],
    },
    durationSeconds: 60,
    safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
  };
}

/** What is made of it. */
export const SEED_FAULT: Fault = {
  faultId: 'exp_chaos_redis_019.1',
  name: '1',
  kind: 'NETWORK_PARTITION',
  cluster: 'redis-master',
  startSeconds: 0,
  impactedNodes: ['redis-node-3'],
  parameters: {
    kind: 'NETWORK_PARTITION',
    latencyMs: 0,
    packetLossPct: 100,
    targetPartitionGroupA: ['redis-node-1', 'redis-node-2'],
    targetPartitionGroupB: ['redis-node-3'],
    scope: 'isolate',
    direction: 'both',
  },
};

export function seedExperiment(experimentId = 'exp_chaos_redis_019'): Experiment {
  return { ...experimentOf([{ ...SEED_FAULT, faultId: `${experimentId}.1` }]), experimentId };
}

export function experimentOf(faults: Fault[], durationSeconds = 60): Experiment {
  return {
    experimentId: 'exp',
    durationSeconds,
    safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
    faults,
  };
}

/** One that names every node of its own. @throws Error for another */
export function namedFault(fault: RequestedFault): Fault {
  if (!fault.impactedNodes) throw new Error(`${fault.faultId}: its nodes are not named`);
  return fault;
}

export function named(experiment: RequestedExperiment): Experiment {
  return { ...experiment, faults: experiment.faults.map(namedFault) };
}

/** Fault `exp.1`, `exp.2`, … of any kind, on the nodes it names. */
export function faultWith(
  parameters: Extract<FaultParameters, { targetNodes: string[] }>,
  { number = 1, ...change }: Partial<Fault> & { number?: number } = {},
): Fault {
  return {
    faultId: `exp.${number}`,
    name: `fault ${number}`,
    kind: parameters.kind,
    cluster: 'redis-master',
    startSeconds: 0,
    impactedNodes: parameters.targetNodes,
    parameters,
    ...change,
  };
}

/** A host fault on one node, planned for that second. */
export function hostFault(number: number, startSeconds: number, cluster = 'redis-master'): Fault {
  const targetNodes = [`node-${number}`];
  return faultWith({ kind: 'CPU_SPIKE', targetNodes, cores: 1, loadPct: 50 }, { number, startSeconds, cluster });
}

export function fisFault(number: number, startSeconds: number, cluster = 'redis-master'): Fault {
  return faultWith({ kind: 'INSTANCE_STOP', targetNodes: [`node-${number}`] }, { number, startSeconds, cluster });
}

/** What would be sent for these faults, one command or one FIS experiment each. */
export function planOf(faults: readonly Fault[], ttlSeconds = 60): BatchPlan {
  const commands = faults.flatMap(({ faultId, kind, impactedNodes: [node = ''] }): NodeCommand[] =>
    kind === 'CPU_SPIKE'
      ? [{ faultId, kind, node, instanceId: `i-${node}`, parameters: { ttlSeconds: `${ttlSeconds}` }, undo: ['stop'] }]
      : [],
  );
  const services = faults.flatMap(({ faultId, kind, cluster, impactedNodes: [node = ''] }): FisFault[] =>
    kind === 'INSTANCE_STOP'
      ? [
          {
            faultId,
            kind,
            cluster,
            nodes: [{ node, instanceId: `i-${node}` }],
            action: {
              actionId: 'aws:ec2:stop-instances',
              parameters: {},
              target: { name: 'Instances', resourceType: 'aws:ec2:instance', resources: [] },
              undo: ['start'],
              boundSeconds: 60,
            },
          },
        ]
      : [],
  );
  return { commands, services };
}
