import { type CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { BROKEN_AUDIT_LOGS } from '../domain/names.ts';

/**
 * How many logs a verification found broken. Deployment says 0: the alarm over missing runs would fire before the first one.
 * @throws the service's error
 */
export async function putBrokenLogs(cloudWatch: CloudWatchClient, stackName: string, broken: number): Promise<void> {
  const { namespace, metricName } = BROKEN_AUDIT_LOGS;
  await cloudWatch.send(
    new PutMetricDataCommand({
      Namespace: namespace,
      MetricData: [
        {
          ...{ MetricName: metricName, Value: broken, Unit: 'Count' },
          Dimensions: [{ Name: 'stack', Value: stackName }],
        },
      ],
    }),
  );
}
