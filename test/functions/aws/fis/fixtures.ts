import type { ExperimentStatus } from '@aws-sdk/client-fis';
import type { FisFault } from '../../../../functions/domain/fis-fault.ts';

export const place = {
  stackName: 'X',
  roleArn: 'arn:aws:iam::111122223333:role/fis',
  region: 'eu-west-1',
  heartbeatAlarmPrefix: 'Holdfast-X-guard-heartbeat-',
};

export const instanceStop: FisFault = {
  faultId: 'exp.1',
  kind: 'INSTANCE_STOP',
  cluster: 'redis-master',
  nodes: [{ node: 'redis-node-3', instanceId: 'i-3' }],
  action: {
    actionId: 'aws:ec2:stop-instances',
    parameters: { startInstancesAfterDuration: 'PT1M' },
    target: { name: 'Instances', resourceType: 'aws:ec2:instance', resources: [{ kind: 'instance', id: 'i-3' }] },
    undo: ['start the instance'],
    boundSeconds: 60,
  },
};
export const TAGS = { 'holdfast-stack': 'X', 'holdfast-experiment': 'exp', 'holdfast-fault': 'exp.1' };
export const INSTANCE_TARGETS = {
  Instances: {
    resourceType: 'aws:ec2:instance',
    resourceArns: ['arn:aws:ec2:eu-west-1:111122223333:instance/i-3'],
  },
};

/** Also `cancelled`, which is missing in the client's types, and states that FIS may get. */
export const stateOf = (status: string, reason?: string) => ({
  ...{ status: status as ExperimentStatus, ...(reason ? { reason } : {}) },
});
