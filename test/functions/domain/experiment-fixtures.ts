import type { Experiment, Fault } from '../../../functions/domain/experiment.ts';
import type { FaultParameters } from '../../../functions/domain/faults/catalogue.ts';
import type { FisFault } from '../../../functions/domain/fis-fault.ts';
import type { NodeCommand } from '../../../functions/inject/node-command.ts';

/** A host fault on one node, planned for that second. */
export function hostFault(number: number, startSeconds: number, cluster = 'redis-master'): Fault {
  const parameters: FaultParameters = { kind: 'CPU_SPIKE', targetNodes: [`node-${number}`], cores: 1, loadPct: 50 };
  return fault(number, startSeconds, cluster, parameters);
}

export function fisFault(number: number, startSeconds: number, cluster = 'redis-master'): Fault {
  return fault(number, startSeconds, cluster, { kind: 'INSTANCE_STOP', targetNodes: [`node-${number}`] });
}

function fault(number: number, startSeconds: number, cluster: string, parameters: FaultParameters): Fault {
  return {
    faultId: `exp.${number}`,
    name: `fault ${number}`,
    kind: parameters.kind,
    cluster,
    startSeconds,
    impactedNodes: [`node-${number}`],
    parameters,
  };
}

export function experimentOf(faults: Fault[], durationSeconds = 60): Experiment {
  return {
    experimentId: 'exp',
    durationSeconds,
    safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
    faults,
  };
}

/** What would be sent for these faults, one command or one experiment of the service each. */
export function planOf(faults: readonly Fault[], ttlSeconds: number) {
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
