import { type AutoScalingClient, type Instance, paginateDescribeAutoScalingGroups } from '@aws-sdk/client-auto-scaling';
import type { ScalingGroup } from '../domain/scaling-groups.ts';

/** Auto Scaling gives at most so many groups a page, and takes no more names. */
const NAMES_A_CALL = 50;

/** Those of the named groups that exist; asks nobody about none. @throws the service's error */
export async function readScalingGroups(client: AutoScalingClient, names: readonly string[]): Promise<ScalingGroup[]> {
  const found: ScalingGroup[] = [];
  for (let start = 0; start < names.length; start += NAMES_A_CALL) {
    const AutoScalingGroupNames = names.slice(start, start + NAMES_A_CALL);
    for await (const page of paginateDescribeAutoScalingGroups({ client }, { AutoScalingGroupNames })) {
      for (const group of page.AutoScalingGroups ?? []) {
        const { AutoScalingGroupName, HealthCheckGracePeriod, HealthCheckType, SuspendedProcesses, Instances } = group;
        if (AutoScalingGroupName === undefined || HealthCheckType === undefined) continue;
        found.push({
          name: AutoScalingGroupName,
          healthChecks: HealthCheckType.split(',').map((check) => check.trim()),
          ...(HealthCheckGracePeriod === undefined ? {} : { healthCheckGraceSeconds: HealthCheckGracePeriod }),
          ...(group.DesiredCapacity === undefined || group.Status !== undefined
            ? {}
            : { keeps: { desiredCapacity: group.DesiredCapacity, inService: inServiceOf(Instances) } }),
          suspendedProcesses: (SuspendedProcesses ?? []).flatMap(({ ProcessName }) => ProcessName ?? []),
        });
      }
    }
  }
  return found;
}

function inServiceOf(instances: readonly Instance[] = []): string[] {
  return instances.flatMap(({ InstanceId, LifecycleState }) =>
    LifecycleState === 'InService' && InstanceId !== undefined ? [InstanceId] : [],
  );
}
