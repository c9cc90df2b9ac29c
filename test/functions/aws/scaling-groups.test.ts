import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
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
  expect(await read('a', 'b')).toEqual([
    { name: 'a', healthChecks: ['EC2', 'ELB'], suspendedProcesses: ['Terminate'] },
    { name: 'b', healthChecks: ['EC2'], suspendedProcesses: [], healthCheckGraceSeconds: 300 },
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
