import { DescribeInstancesCommand, EC2Client, type Instance } from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { listLiveNodes } from '../../../functions/target/ec2-nodes.ts';
import { cluster, configuration } from '../guard/fixtures.ts';

const ec2 = mockClient(EC2Client);
const instance = (number: number, name = `redis-node-${number}`): Instance => ({
  InstanceId: `i-${number}`,
  PrivateIpAddress: `10.77.0.1${number}`,
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

  it('are refused when two share a name or one has none', async () => {
    ec2
      .on(DescribeInstancesCommand)
      .resolves({ Reservations: [{ Instances: [instance(1), instance(2, 'redis-node-1')] }] });
    await expect(list()).rejects.toThrow(/redis-node-1: on i-1 and i-2/);
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [{ ...instance(1), Tags: [] }] }] });
    await expect(list()).rejects.toThrow(/no Name tag/);
  });
});
