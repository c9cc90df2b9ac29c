import {
  type _InstanceType,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  EC2Client,
  type Instance,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { instanceStoreOf } from '../../../functions/aws/instance-store.ts';
import { listLiveNodes } from '../../../functions/aws/live-nodes.ts';
import { cluster, configuration } from '../guard/fixtures.ts';

const ec2 = mockClient(EC2Client);
const instance = (number: number, name = `redis-node-${number}`): Instance => ({
  InstanceId: `i-${number}`,
  PrivateIpAddress: `10.77.0.1${number}`,
  Placement: { AvailabilityZone: 'eu-west-1a' },
  SubnetId: 'subnet-a',
  RootDeviceName: '/dev/xvda',
  BlockDeviceMappings: [
    { DeviceName: '/dev/xvda', Ebs: { VolumeId: `vol-root-${number}` } },
    { DeviceName: '/dev/sdf', Ebs: { VolumeId: `vol-data-${number}` } },
    { DeviceName: '/dev/sdg' },
  ],
  Tags: [{ Key: 'Name', Value: name }],
  NetworkInterfaces: [
    {
      PrivateIpAddresses: [{ PrivateIpAddress: `10.77.0.1${number}` }],
      Ipv6Addresses: [{ Ipv6Address: `fd00::${number}` }],
    },
    { PrivateIpAddresses: [{ PrivateIpAddress: `10.78.0.1${number}` }] },
  ],
});
const list = () => listLiveNodes(new EC2Client({ region: 'eu-west-1' }), cluster, configuration);

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

  it('are refused when two share a name or one has none', async () => {
    ec2
      .on(DescribeInstancesCommand)
      .resolves({ Reservations: [{ Instances: [instance(1), instance(2, 'redis-node-1')] }] });
    await expect(list()).rejects.toThrow(/redis-node-1: on i-1 and i-2/);
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [{ ...instance(1), Tags: [] }] }] });
    await expect(list()).rejects.toThrow(/no Name tag/);
  });
});

describe('instance store', () => {
  const typed = (number: number, type: string) => ({ ...instance(number), InstanceType: type as _InstanceType });
  const storeOf = (...ids: string[]) => instanceStoreOf(new EC2Client({ region: 'eu-west-1' }), ids);
  beforeEach(() => {
    ec2
      .on(DescribeInstancesCommand)
      .resolves({ Reservations: [{ Instances: [typed(1, 'i4i.large'), typed(2, 'r6g.large')] }] });
    ec2.on(DescribeInstanceTypesCommand).resolves({
      InstanceTypes: [
        { InstanceType: 'i4i.large', InstanceStorageSupported: true },
        { InstanceType: 'r6g.large', InstanceStorageSupported: false },
      ],
    });
  });

  it('is told of exactly the instances whose type has it', async () => {
    expect(await storeOf('i-1', 'i-2')).toEqual(['i-1']);
    expect(await storeOf('i-2')).toEqual([]);
    expect(await storeOf()).toEqual([]);
  });

  it('is not taken for absent when EC2 does not tell', async () => {
    await expect(storeOf('i-3')).rejects.toThrow(/i-3: EC2 does not tell/);
    ec2.on(DescribeInstanceTypesCommand).resolves({ InstanceTypes: [{ InstanceType: 'r6g.large' }] });
    await expect(storeOf('i-2')).rejects.toThrow(/i-2: EC2 does not tell/);
  });
});
