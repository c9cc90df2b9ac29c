import { AutoScalingClient, DescribeAutoScalingGroupsCommand, type LifecycleState } from '@aws-sdk/client-auto-scaling';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { readScalingGroups } from '../../../functions/aws/scaling-groups.ts';

const service = mockClient(AutoScalingClient);
beforeEach(() => service.reset());
afterAll(() => service.restore());
const read = (...names: string[]) => readScalingGroups(new AutoScalingClient({ region: 'eu-west-1' }), names);
const described = (AutoScalingGroupName: string, HealthCheckType: string, ...processes: string[]) => ({
  AutoScalingGroupName,
  HealthCheckType,
  SuspendedProcesses: processes.map((ProcessName) => ({ ProcessName })),
  // The service gives them always.
  ...{
    MinSize: 1,
    MaxSize: 1,
    DesiredCapacity: 1,
    DefaultCooldown: 300,
    AvailabilityZones: [],
    CreatedTime: new Date(0),
  },
});

it('reads each group on every page, with all its health checks, and asks nobody about none', async () => {
  service
    .on(DescribeAutoScalingGroupsCommand)
    .resolvesOnce({ AutoScalingGroups: [described('a', 'EC2,ELB', 'Terminate')], NextToken: 'more' })
    .resolvesOnce({ AutoScalingGroups: [{ ...described('b', 'EC2'), HealthCheckGracePeriod: 300 }] });
  const keeps = { desiredCapacity: 1, inService: [] };
  expect(await read('a', 'b')).toEqual([
    { name: 'a', healthChecks: ['EC2', 'ELB'], suspendedProcesses: ['Terminate'], keeps },
    { name: 'b', healthChecks: ['EC2'], suspendedProcesses: [], healthCheckGraceSeconds: 300, keeps },
  ]);
  service.reset();
  expect(await read()).toEqual([]);
  expect(service.calls()).toHaveLength(0);
});

it('asks in calls of no more names than the service takes', async () => {
  service.on(DescribeAutoScalingGroupsCommand).resolves({ AutoScalingGroups: [] });
  await read(...Array.from({ length: 120 }, (_, index) => `group-${index}`));
  const sizes = service
    .commandCalls(DescribeAutoScalingGroupsCommand)
    .map(({ args }) => args[0].input.AutoScalingGroupNames?.length);
  expect(sizes).toEqual([50, 50, 20]);
});

it('tells which instances are in service, and of a group that is being deleted nothing that it keeps', async () => {
  const instance = (InstanceId: string, LifecycleState: LifecycleState) => ({
    ...{ InstanceId, LifecycleState, AvailabilityZone: 'a', HealthStatus: 'Healthy', ProtectedFromScaleIn: false },
  });
  const Instances = [instance('i-1', 'InService'), instance('i-2', 'Standby'), instance('i-3', 'Terminating')];
  service.on(DescribeAutoScalingGroupsCommand).resolves({
    AutoScalingGroups: [
      { ...described('a', 'EC2'), Instances },
      { ...described('b', 'EC2'), Instances, Status: 'Delete in progress' },
    ],
  });
  expect((await read('a', 'b')).map(({ keeps }) => keeps)).toEqual([
    { desiredCapacity: 1, inService: ['i-1'] },
    undefined,
  ]);
});
