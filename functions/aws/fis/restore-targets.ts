import { DescribeNetworkAclsCommand, type EC2Client, StartInstancesCommand } from '@aws-sdk/client-ec2';
import type { ExperimentTarget } from '@aws-sdk/client-fis';
import { describeByIds } from '../instances-by-id.ts';

/** FIS marks by this what it makes in a network. */
const FIS_TAG_FILTER = { Name: 'tag:managedByFIS', Values: ['true'] };

/**
 * Looks at what an experiment that is over had for targets, and starts instances that are stopped. Volumes have nothing
 * to look at: FIS and EBS end their faults with the experiment, and EC2 shows a volume as impaired for some time after.
 * @returns what is not back yet, in words, or undefined.
 * @throws the service's error
 */
export async function restoreTargets(
  ec2: EC2Client,
  targets: readonly ExperimentTarget[],
): Promise<string | undefined> {
  const idsOf = (resourceType: string) =>
    targets
      .filter((target) => target.resourceType === resourceType)
      .flatMap(({ resourceArns }) => resourceArns ?? [])
      .map((arn) => arn.slice(arn.lastIndexOf('/') + 1));
  const away = [
    ...(await startInstances(ec2, idsOf('aws:ec2:instance'))),
    ...(await networkAclsOfFis(ec2, idsOf('aws:ec2:subnet'))),
  ];
  return away.length === 0 ? undefined : away.join('; ');
}

/** All were running before. `stopping` cannot be started yet, `pending` is on its way: both are looked at again. */
async function startInstances(ec2: EC2Client, instanceIds: string[]): Promise<string[]> {
  if (instanceIds.length === 0) return [];
  const instances = await describeByIds(ec2, instanceIds);
  const stateOf = (id: string) => instances.find(({ InstanceId }) => InstanceId === id)?.State?.Name ?? 'unknown';
  const stopped = instanceIds.filter((id) => stateOf(id) === 'stopped');
  if (stopped.length > 0) await ec2.send(new StartInstancesCommand({ InstanceIds: stopped }));
  return instanceIds.filter((id) => stateOf(id) !== 'running').map((id) => `instance ${id} is ${stateOf(id)}`);
}

async function networkAclsOfFis(ec2: EC2Client, subnetIds: string[]): Promise<string[]> {
  if (subnetIds.length === 0) return [];
  const filter = { Name: 'association.subnet-id', Values: subnetIds };
  const { NetworkAcls } = await ec2.send(new DescribeNetworkAclsCommand({ Filters: [filter, FIS_TAG_FILTER] }));
  return (NetworkAcls ?? []).map(({ NetworkAclId }) => `network ACL ${NetworkAclId} of FIS is still on a subnet`);
}
