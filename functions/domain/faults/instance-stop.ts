import { fisKind } from './define-kind.ts';
import { fisNodeNames, instancesOf, wholeMinutes } from './instances.ts';

export const instanceStop = fisKind({
  kind: 'INSTANCE_STOP',
  description:
    'Stops the instance; it is started again at the end. Refused where data on instance store would be lost, and in an Auto Scaling group that would terminate it.',
  fields: { targetNodes: fisNodeNames },
  faultState: 'STOPPED',
  example: { targetNodes: ['node-3'] },
  resource: 'instance',
  impactedNodes: ({ targetNodes }) => targetNodes,
  irreversible:
    'what was in the memory of the instance only is gone: writes that the store had acknowledged, but neither saved ' +
    'nor replicated',
  action: (_parameters, fault, remainingSeconds) => {
    const duration = wholeMinutes(remainingSeconds);
    return {
      actionId: 'aws:ec2:stop-instances',
      parameters: { startInstancesAfterDuration: duration.text },
      target: instancesOf(fault),
      undo: ['stop the FIS experiment, which starts the instance again', 'start the instance if it is still stopped'],
      boundSeconds: duration.seconds,
    };
  },
});
