import { type EC2Client, type NetworkInterface, paginateDescribeNetworkInterfaces } from '@aws-sdk/client-ec2';
import type { SubnetInterface } from '../domain/targets.ts';

/**
 * Everything that has an address in these subnets, whatever its tags: instances, running or not, and what AWS's services
 * have put there.
 * @throws the service's error, and Error for an interface that tells no subnet or no id: unknown refuses.
 */
export async function interfacesIn(ec2: EC2Client, subnetIds: readonly string[]): Promise<SubnetInterface[]> {
  if (subnetIds.length === 0) return [];
  const found: SubnetInterface[] = [];
  const Filters = [{ Name: 'subnet-id', Values: [...subnetIds] }];
  for await (const page of paginateDescribeNetworkInterfaces({ client: ec2 }, { Filters })) {
    found.push(...(page.NetworkInterfaces ?? []).map(toInterface));
  }
  return found;
}

function toInterface(found: NetworkInterface): SubnetInterface {
  const { NetworkInterfaceId: interfaceId, SubnetId: subnetId, Attachment, Description } = found;
  if (!interfaceId || !subnetId)
    throw new Error(`network interface ${interfaceId}: EC2 tells no id or no subnet of it`);
  const addresses = [
    found.PrivateIpAddress,
    ...(found.PrivateIpAddresses ?? []).map(({ PrivateIpAddress }) => PrivateIpAddress),
    ...(found.Ipv6Addresses ?? []).map(({ Ipv6Address }) => Ipv6Address),
  ].filter((address): address is string => address !== undefined && address !== '');
  return {
    ...{ interfaceId, subnetId, addresses: [...new Set(addresses)], description: Description ?? '' },
    ...(Attachment?.InstanceId ? { instanceId: Attachment.InstanceId } : {}),
  };
}
