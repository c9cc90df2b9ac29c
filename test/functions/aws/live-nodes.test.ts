import { DescribeInstancesCommand, EC2Client, type Instance } from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { listLiveNodes } from '../../../functions/aws/live-nodes.ts';
import { configuration, redisCluster } from '../domain/configuration-fixtures.ts';
import { instance } from './instance-fixture.ts';

const ec2 = mockClient(EC2Client);
afterAll(() => ec2.restore());
const list = (cluster: Record<string, unknown> = {}) =>
  listLiveNodes(new EC2Client({ region: 'eu-west-1' }), redisCluster(cluster), configuration());

beforeEach(() => ec2.reset());

describe('live nodes', () => {
  it('are all running instances of all pages that carry the cluster tags and the target tag', async () => {
    ec2
      .on(DescribeInstancesCommand)
      .resolvesOnce({ Reservations: [{ Instances: [instance(2)] }], NextToken: 'more' })
      .resolves({ Reservations: [{ Instances: [instance(1)] }] });
    const nodes = await list();
    expect(nodes.map((node) => node.name)).toEqual(['redis-node-1', 'redis-node-2']);
    expect(nodes[0]?.addresses).toEqual(['10.77.0.11', 'fd00::1', '10.78.0.11']);
    expect(ec2.commandCalls(DescribeInstancesCommand)[0]?.args[0].input.Filters).toEqual([
      { Name: 'tag:holdfast-cluster', Values: ['redis-master'] },
      { Name: 'tag:holdfast-target', Values: ['true'] },
      { Name: 'instance-state-name', Values: ['running'] },
    ]);
  });

  it('have their zone, their subnet and their volumes, but for the root volume', async () => {
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [instance(1)] }] });
    expect(await list()).toMatchObject([
      { availabilityZone: 'eu-west-1a', subnetId: 'subnet-a', dataVolumeIds: ['vol-data-1'] },
    ]);
    for (const unknown of [{ Placement: {} }, { SubnetId: '' }]) {
      ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [{ ...instance(1), ...unknown }] }] });
      await expect(list()).rejects.toThrow(/redis-node-1 \(i-1\): .* no availability zone or no subnet/);
    }
  });

  it('are one for each store of an instance, named with its port, and the tags, addresses and volumes are those of the host', async () => {
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [instance(10), instance(2)] }] });
    const nodes = await list({ port: [6380, 6379], unit: 'redis@{port}' });
    expect(nodes.map(({ name, port, instanceId }) => [name, port, instanceId])).toEqual([
      ['redis-node-2:6379', 6379, 'i-2'],
      ['redis-node-2:6380', 6380, 'i-2'],
      ['redis-node-10:6379', 6379, 'i-10'],
      ['redis-node-10:6380', 6380, 'i-10'],
    ]);
    const [{ name: _, port: _port, ...host } = { name: '', port: 0 }, other] = nodes;
    expect(other).toMatchObject(host);
    expect(other).toMatchObject({ tags: { Name: 'redis-node-2' }, dataVolumeIds: ['vol-data-2'] });
  });

  it('have the port of their cluster, and no port in their name, where an instance runs one store', async () => {
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [instance(1)] }] });
    for (const port of [7000, [7000]])
      expect(await list({ port, unit: 'redis@{port}' })).toMatchObject([{ name: 'redis-node-1', port: 7000 }]);
  });

  describe('with credentialsFor', () => {
    const securityGroupId = 'sg-0store';
    const instanceProfileArn = 'arn:aws:iam::111122223333:instance-profile/redis';
    const member = {
      ...instance(1),
      SecurityGroups: [{ GroupId: 'sg-other' }, { GroupId: 'sg-0store' }],
      IamInstanceProfile: { Arn: instanceProfileArn },
    };
    const both = { credentialsFor: { securityGroupId, instanceProfileArn } };
    const found = (each: Instance) =>
      ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [member, { ...each, ...renamed }] }] });
    const renamed = { InstanceId: 'i-2', Tags: [{ Key: 'Name', Value: 'rogue' }] };

    it('are those that have the group, on any interface, and the profile', async () => {
      found(member);
      expect(await list(both)).toHaveLength(2);
      const [first, ...others] = member.NetworkInterfaces ?? [];
      const NetworkInterfaces = [{ ...first, Groups: [{ GroupId: 'sg-0store' }] }, ...others];
      found({ ...member, SecurityGroups: [], NetworkInterfaces });
      expect(await list(both)).toHaveLength(2);
    });

    it.each([
      [
        'the group',
        { SecurityGroups: [{ GroupId: 'sg-other' }] },
        /i-2 \(rogue\): .* not the security group sg-0store/,
      ],
      ['any group', { SecurityGroups: undefined }, /not the security group/],
      ['the profile', { IamInstanceProfile: { Arn: `${instanceProfileArn}-2` } }, /not the instance profile/],
      ['any profile', { IamInstanceProfile: undefined }, /not the instance profile/],
    ])('are nobody when one that carries the tags has not %s', async (_what, change, reason) => {
      found({ ...member, ...change } as Instance);
      await expect(list(both)).rejects.toThrow(reason);
    });

    it('need no more than what is configured', async () => {
      found({ ...member, SecurityGroups: [] });
      expect(await list({ credentialsFor: { instanceProfileArn } })).toHaveLength(2);
    });
  });

  it('are refused when two share a name: it says nothing in a request', async () => {
    ec2
      .on(DescribeInstancesCommand)
      .resolves({ Reservations: [{ Instances: [instance(1), instance(2, 'redis-node-1')] }] });
    await expect(list()).rejects.toThrow(/Name tag redis-node-1: on i-1 and i-2; .*nameTag/);
  });

  it('have their names from the tag of the configuration, and their ids where they have no such tag or none is to be used', async () => {
    const tagged = {
      ...instance(1, 'group'),
      Tags: [
        { Key: 'Name', Value: 'group' },
        { Key: 'node', Value: 'first' },
      ],
    };
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [tagged, instance(2, 'group')] }] });
    const namesBy = async (nameTag: string | null) => (await list({ nameTag })).map(({ name }) => name);
    expect(await namesBy('node')).toEqual(['first', 'i-2']);
    expect(await namesBy(null)).toEqual(['i-1', 'i-2']);
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [{ ...instance(1), Tags: [] }] }] });
    expect(await namesBy('Name')).toEqual(['i-1']);
  });
});
