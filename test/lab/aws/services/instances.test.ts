import { expect, test } from 'vitest';
import { Instances } from '../../../../lab/aws/services/instances.ts';
import type { LabHost } from '../../../../lab/fleet/engine.ts';

const hostOf = (number: number, replaces?: string): LabHost => ({
  ...{ name: `node-${number}`, instanceId: `i-${number}`, shard: 'ring', dataAddress: `10.77.0.${number}` },
  ...{ tags: { Name: `node-${number}` }, securityGroupId: 'sg-1' },
  ...(replaces === undefined ? {} : { replaces }),
});

function world(...hosts: LabHost[]) {
  const pressed: string[] = [];
  const power = {
    stop: async ({ name }: LabHost) => void pressed.push(`stop ${name}`),
    start: async ({ name }: LabHost) => void pressed.push(`start ${name}`),
  };
  const instances = new Instances(hosts, power, 10);
  const states = () => Object.fromEntries(instances.hosts.map((host) => [host.name, instances.stateOf(host)]));
  return { instances, pressed, states };
}
const [one, three, four] = [hostOf(1), hostOf(3), hostOf(4, 'node-3')];

test('an instance that takes the place of another is not there until that one is gone, and comes once', async () => {
  const { instances, pressed, states } = world(one, three, four);
  expect(states()).toEqual({ 'node-1': 'running', 'node-3': 'running' });
  expect(instances.find('i-4')).toBeUndefined();
  expect(instances.tagsOf(three)).toMatchObject({ 'aws:autoscaling:groupName': 'node-3-group' });
  await instances.terminate(three);
  await instances.terminate(three);
  expect(states()).toEqual({ 'node-1': 'running', 'node-3': 'terminated' });
  await expect.poll(states).toEqual({ 'node-1': 'running', 'node-3': 'terminated', 'node-4': 'running' });
  expect(instances.tagsOf(four)).toMatchObject({ 'aws:autoscaling:groupName': 'node-3-group' });
  await instances.start(three);
  expect(pressed).toEqual(['stop node-3', 'start node-4']);
});

test.each(['Launch', 'Terminate', 'HealthCheck', 'ReplaceUnhealthy'])(
  'nobody takes its place where its group is kept from %s, nor where it is in no group',
  async (suspended) => {
    const { instances, states } = world(one, three, four);
    instances.scalingGroups = instances.scalingGroups.map((group) => ({ ...group, suspendedProcesses: [suspended] }));
    await Promise.all([instances.terminate(three), instances.terminate(one)]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(states()).toEqual({ 'node-1': 'terminated', 'node-3': 'terminated' });
  },
);
