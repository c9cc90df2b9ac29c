import { type EC2Client, type Instance, paginateDescribeInstances } from '@aws-sdk/client-ec2';
import type { Cluster, Configuration } from '../domain/configuration.ts';

/** A running instance of a cluster. */
export interface LiveNode {
  /** Its `Name` tag. */
  name: string;
  instanceId: string;
  /** Every private address of every interface, v4 and v6, the primary one first. */
  addresses: string[];
  availabilityZone: string;
  subnetId: string;
  /** EBS volumes that are attached to it, without the root volume. */
  dataVolumeIds: string[];
}

/**
 * Nodes that are running and carry the cluster's tags and the deployment's target tag, sorted by name.
 * @throws Error when a node has no name or two have the same: then a name in a request says nothing.
 */
export async function listLiveNodes(
  ec2: EC2Client,
  cluster: Pick<Cluster, 'selectTags'>,
  configuration: Pick<Configuration, 'targetTag'>,
): Promise<LiveNode[]> {
  const { key, value } = configuration.targetTag;
  const tags = Object.entries({ ...cluster.selectTags, [key]: value });
  const Filters = [
    ...tags.map(([name, wanted]) => ({ Name: `tag:${name}`, Values: [wanted] })),
    { Name: 'instance-state-name', Values: ['running'] },
  ];
  const nodes = new Map<string, LiveNode>();
  for await (const page of paginateDescribeInstances({ client: ec2 }, { Filters })) {
    for (const instance of (page.Reservations ?? []).flatMap((reservation) => reservation.Instances ?? [])) {
      const node = toNode(instance);
      const other = nodes.get(node.name);
      if (other) {
        throw new Error(`Name tag ${node.name}: on ${other.instanceId} and ${node.instanceId}, it must be unique`);
      }
      nodes.set(node.name, node);
    }
  }
  return [...nodes.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function toNode(instance: Instance): LiveNode {
  const instanceId = instance.InstanceId ?? '';
  const name = instance.Tags?.find((tag) => tag.Key === 'Name')?.Value;
  if (!name) throw new Error(`instance ${instanceId}: has no Name tag`);
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
  return { name, instanceId, addresses: [...new Set(addresses)], availabilityZone, subnetId, dataVolumeIds };
}
