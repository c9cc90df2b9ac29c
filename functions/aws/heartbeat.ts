import { type CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { GUARD_HEARTBEAT, heartbeatDimensions } from '../domain/names.ts';

/**
 * Says of these clusters that they are watched (1), or only that there is such a metric (0): CloudWatch may take minutes
 * to show a new one, and an alarm over it would go on firing meanwhile.
 * @throws the service's error
 */
export async function putHeartbeat(
  cloudWatch: CloudWatchClient,
  stackName: string,
  clusters: readonly string[],
  value: 0 | 1,
): Promise<void> {
  await cloudWatch.send(
    new PutMetricDataCommand({
      Namespace: GUARD_HEARTBEAT.namespace,
      MetricData: clusters.map((cluster) => ({
        MetricName: GUARD_HEARTBEAT.metricName,
        Dimensions: Object.entries(heartbeatDimensions(stackName, cluster)).map(([Name, Value]) => ({ Name, Value })),
        Value: value,
        Unit: 'Count',
        // Kept by the second: else an alarm with a period of 10 s would not see it.
        StorageResolution: 1,
      })),
    }),
  );
}
