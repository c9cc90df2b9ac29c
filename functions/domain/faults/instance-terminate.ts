import { fisKind } from './define-kind.ts';
import { fisNodeNames, instancesOf } from './instances.ts';

export const TERMINATE_INSTANCES = 'aws:ec2:terminate-instances';

export const instanceTerminate = fisKind({
  kind: 'INSTANCE_TERMINATE',
  description:
    'Terminates the instance, once and for good: the recovery waits for the one that its Auto Scaling group starts in its place. Only on clusters of tier staging that are configured with instancesMayBeTerminated, where a group replaces it and others have its data.',
  fields: { targetNodes: fisNodeNames },
  stagingOnly: true,
  faultState: 'TERMINATED',
  example: { targetNodes: ['node-3'] },
  resource: 'instance',
  impactedNodes: ({ targetNodes }) => targetNodes,
  isReplaced: true,
  refuse: (_parameters, { instancesMayBeTerminated }) =>
    instancesMayBeTerminated
      ? undefined
      : 'an instance is lost for good, and the cluster is not configured with instancesMayBeTerminated',
  irreversible:
    'a termination has no undo: instance and data are gone for good, and the one that takes its place copies its data from others',
  action: (_parameters, fault) => ({
    actionId: TERMINATE_INSTANCES,
    parameters: {},
    target: instancesOf(fault),
    undo: ['none: the Auto Scaling group starts another instance; recovery waits until it has its place in the store'],
  }),
});
