import { type EC2Client, type Instance, paginateDescribeInstances } from '@aws-sdk/client-ec2';
import { type Cluster, portsOf } from '../domain/configuration.ts';
import type { LiveHost, LiveNode } from '../domain/targets.ts';
import type { Configuration } from '../engines/configuration.ts';

/**
 * Nodes on instances that are running and carry the cluster's tags and the deployment's target tag, sorted by name: one
 * for each port of the cluster.
 * @throws Error when two have the same name: then a name in a request says nothing. And when one
 *   lacks what `credentialsFor` demands: the store is then asked nothing, so that nobody is sent its credentials.
 */
export async function listLiveNodes(
  ec2: EC2Client,
  cluster: Pick<Cluster, 'selectTags' | 'port' | 'nameTag' | 'credentialsFor'>,
  configuration: Pick<Configuration, 'targetTag'>,
): Promise<LiveNode[]> {
  const { key, value } = configuration.targetTag;
  const tags = Object.entries({ ...cluster.selectTags, [key]: value });
  const Filters = [
    ...tags.map(([name, wanted]) => ({ Name: `tag:${name}`, Values: [wanted] })),
    { Name: 'instance-state-name', Values: ['running'] },
  ];
  const hosts = new Map<string, LiveHost>();
  for await (const page of paginateDescribeInstances({ client: ec2 }, { Filters })) {
    for (const instance of (page.Reservations ?? []).flatMap((reservation) => reservation.Instances ?? [])) {
      const { name, host } = toHost(instance, cluster.nameTag);
      const lacking = lackingOf(instance, cluster.credentialsFor);
      if (lacking !== undefined)
        throw new Error(`instance ${host.instanceId} (${name}): carries the tags of the cluster, but not ${lacking}`);
      const other = hosts.get(name);
      if (other)
        throw new Error(
          `${cluster.nameTag} tag ${name}: on ${other.instanceId} and ${host.instanceId}; name the nodes by another tag or by their ids (nameTag)`,
        );
      hosts.set(name, host);
    }
  }
  const ports = portsOf(cluster);
  return [...hosts]
    .flatMap(([name, host]) =>
      ports.map((port): LiveNode => ({ ...host, name: ports.length > 1 ? `${name}:${port}` : name, port })),
    )
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** What of `credentialsFor` the instance has not. One interface with the security group is enough. */
function lackingOf(
  instance: Instance,
  { securityGroupId, instanceProfileArn }: NonNullable<Cluster['credentialsFor']> = {},
): string | undefined {
  const groups = [
    ...(instance.SecurityGroups ?? []),
    ...(instance.NetworkInterfaces ?? []).flatMap(({ Groups }) => Groups ?? []),
  ];
  if (securityGroupId !== undefined && !groups.some(({ GroupId }) => GroupId === securityGroupId))
    return `the security group ${securityGroupId}`;
  if (instanceProfileArn !== undefined && instance.IamInstanceProfile?.Arn !== instanceProfileArn)
    return `the instance profile ${instanceProfileArn}`;
  return undefined;
}

function toHost(instance: Instance, nameTag: string | null): { name: string; host: LiveHost } {
  const instanceId = instance.InstanceId ?? '';
  const name = instance.Tags?.find((tag) => tag.Key === nameTag)?.Value || instanceId;
  const addresses = [
    instance.PrivateIpAddress,
    ...(instance.NetworkInterfaces ?? []).flatMap((networkInterface) => [
      ...(networkInterface.PrivateIpAddresses ?? []).map((entry) => entry.PrivateIpAddress),
      ...(networkInterface.Ipv6Addresses ?? []).map((entry) => entry.Ipv6Address),
    ]),
  ].filter((address): address is string => address !== undefined && address !== '');
  if (addresses.length === 0) throw new Error(`node ${name} (${instanceId}): has no private address`);
  const [availabilityZone, subnetId] = [instance.Placement?.AvailabilityZone, instance.SubnetId];
  if (!availabilityZone || !subnetId) {
    throw new Error(`node ${name} (${instanceId}): EC2 tells no availability zone or no subnet of it`);
  }
  const dataVolumeIds = (instance.BlockDeviceMappings ?? [])
    .filter(({ DeviceName }) => DeviceName !== instance.RootDeviceName)
    .flatMap(({ Ebs }) => Ebs?.VolumeId ?? []);
  const tags = Object.fromEntries((instance.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
  const unique = [...new Set(addresses)];
  return { name, host: { instanceId, addresses: unique, tags, availabilityZone, subnetId, dataVolumeIds } };
}
