import { type _InstanceType, DescribeInstanceTypesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { describeByIds } from './instances-by-id.ts';

/** EC2 takes at most this many instance types in a call. */
const TYPES_A_CALL = 100;

/**
 * Which of these instances have instance store volumes: what is on those is gone when the instance is stopped.
 * @throws the service's error, and Error when the type of an instance is not known: unknown refuses.
 */
export async function instanceStoreOf(ec2: EC2Client, instanceIds: readonly string[]): Promise<string[]> {
  if (instanceIds.length === 0) return [];
  const instances = await describeByIds(ec2, instanceIds);
  const types = [...new Set(instances.flatMap(({ InstanceType }) => InstanceType ?? []))];
  const hasStore = new Map<_InstanceType, boolean>();
  for (let start = 0; start < types.length; start += TYPES_A_CALL) {
    const InstanceTypes = types.slice(start, start + TYPES_A_CALL);
    const answer = await ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes }));
    for (const { InstanceType, InstanceStorageSupported } of answer.InstanceTypes ?? []) {
      if (InstanceType !== undefined && InstanceStorageSupported !== undefined) {
        hasStore.set(InstanceType, InstanceStorageSupported);
      }
    }
  }
  return instanceIds.filter((instanceId) => {
    const type = instances.find(({ InstanceId }) => InstanceId === instanceId)?.InstanceType;
    const stored = type === undefined ? undefined : hasStore.get(type);
    if (stored === undefined)
      throw new Error(`instance ${instanceId}: EC2 does not tell whether it has instance store`);
    return stored;
  });
}
