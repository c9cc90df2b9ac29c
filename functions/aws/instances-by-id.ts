import { type EC2Client, type Instance, paginateDescribeInstances } from '@aws-sdk/client-ec2';

/** Whatever state they are in, in EC2's order. @throws the service's error, also when one does not exist */
export async function describeByIds(ec2: EC2Client, instanceIds: readonly string[]): Promise<Instance[]> {
  const found: Instance[] = [];
  for await (const page of paginateDescribeInstances({ client: ec2 }, { InstanceIds: [...instanceIds] })) {
    found.push(...(page.Reservations ?? []).flatMap((reservation) => reservation.Instances ?? []));
  }
  return found;
}
