import { fisKind } from './define-kind.ts';
import { fisNodeNames, wholeSeconds } from './instances.ts';
import { refuseVolumes, volumesOf } from './volumes.ts';

export const volumePauseIo = fisKind({
  kind: 'VOLUME_PAUSE_IO',
  description: 'Holds every read and write of the data volumes of the node until the end. Nitro instances only.',
  fields: { targetNodes: fisNodeNames },
  faultState: 'IO_PAUSED',
  example: { targetNodes: ['node-3'] },
  resource: 'volume',
  impactedNodes: ({ targetNodes }) => targetNodes,
  irreversible:
    'no fence stands on the hosts: a leader whose writes hang may be replaced, and what it had taken may be lost; ' +
    'what the kernel or the store gave up as an input/output error stays given up until it is mounted or started again',
  refuseTargets: (_parameters, fault) => refuseVolumes(fault),
  action: (_parameters, fault, remainingSeconds) => ({
    actionId: 'aws:ebs:pause-volume-io',
    parameters: { duration: wholeSeconds(remainingSeconds) },
    target: volumesOf(fault),
    undo: ['stop the FIS experiment: the volumes answer again'],
    boundSeconds: remainingSeconds,
  }),
});
