import { DescribeNetworkInterfacesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { interfacesIn } from '../../../functions/aws/subnet-interfaces.ts';

const ec2 = mockClient(EC2Client);
afterAll(() => ec2.restore());
const client = new EC2Client({ region: 'eu-west-1' });
beforeEach(() => ec2.reset());

describe('who stands in a subnet', () => {
  it('is everybody, whatever the tags, on every page, with every address', async () => {
    const own = { NetworkInterfaceId: 'eni-1', SubnetId: 'subnet-c', PrivateIpAddress: '10.0.0.3' };
    ec2
      .on(DescribeNetworkInterfacesCommand)
      .resolvesOnce({
        NetworkInterfaces: [
          {
            ...own,
            Attachment: { InstanceId: 'i-3' },
            PrivateIpAddresses: [{ PrivateIpAddress: '10.0.0.3' }, { PrivateIpAddress: '10.0.0.4' }],
            Ipv6Addresses: [{ Ipv6Address: 'fd00::3' }],
          },
        ],
        NextToken: 'more',
      })
      .resolves({ NetworkInterfaces: [{ NetworkInterfaceId: 'eni-2', SubnetId: 'subnet-c', Description: 'ELB x' }] });
    const subnetId = 'subnet-c';
    const addresses = ['10.0.0.3', '10.0.0.4', 'fd00::3'];
    expect(await interfacesIn(client, ['subnet-c'])).toEqual([
      { interfaceId: 'eni-1', subnetId, instanceId: 'i-3', addresses, description: '' },
      { interfaceId: 'eni-2', subnetId, addresses: [], description: 'ELB x' },
    ]);
    expect(ec2.commandCalls(DescribeNetworkInterfacesCommand)[0]?.args[0].input.Filters).toEqual([
      { Name: 'subnet-id', Values: ['subnet-c'] },
    ]);
  });

  it('is not guessed: an interface without its subnet is an error, and no subnet is no question', async () => {
    ec2.on(DescribeNetworkInterfacesCommand).resolves({ NetworkInterfaces: [{ NetworkInterfaceId: 'eni-1' }] });
    await expect(interfacesIn(client, ['subnet-c'])).rejects.toThrow(/eni-1.*no subnet/);
    ec2.resetHistory();
    expect(await interfacesIn(client, [])).toEqual([]);
    expect(ec2.commandCalls(DescribeNetworkInterfacesCommand)).toEqual([]);
  });
});
