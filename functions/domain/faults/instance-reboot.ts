import { fisKind } from './define-kind.ts';
import { fisNodeNames, instancesOf } from './instances.ts';

export const REBOOT_INSTANCES = 'aws:ec2:reboot-instances';

export const instanceReboot = fisKind({
  kind: 'INSTANCE_REBOOT',
  description: 'Reboots the instance, once. Refused in an Auto Scaling group that would terminate it.',
  fields: { targetNodes: fisNodeNames },
  faultState: 'REBOOTED',
  example: { targetNodes: ['node-3'] },
  resource: 'instance',
  impactedNodes: ({ targetNodes }) => targetNodes,
  restartsStore: true,
  irreversible:
    'a reboot has no undo: it goes on until the instance is up again, and what was in its memory only is gone',
  action: (_parameters, fault) => ({
    actionId: REBOOT_INSTANCES,
    parameters: {},
    target: instancesOf(fault),
    undo: ['none: the instance comes back by itself; recovery waits until its store has started anew'],
  }),
});
