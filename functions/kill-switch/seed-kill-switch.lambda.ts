import { putBrokenLogs } from '../aws/audit-metric.ts';
import { cloudWatchClient, dynamoClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { putHeartbeat } from '../aws/heartbeat.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { answerCustomResource, type CustomResourceRequest, seedKillSwitches } from './seed-kill-switch.ts';

const ANSWER_TIMEOUT_MS = 10_000;

export function handler(request: CustomResourceRequest): Promise<void> {
  return answerCustomResource(
    request,
    async () => {
      const clusters = Object.keys(loadConfiguration().clusters);
      await seedKillSwitches(dynamoClient(), environmentVariable(ENVIRONMENT.leaseTable), clusters);
      const stackName = environmentVariable(ENVIRONMENT.stackName);
      await putHeartbeat(cloudWatchClient(), stackName, clusters, 0);
      await putBrokenLogs(cloudWatchClient(), stackName, 0);
    },
    async (url, body) => {
      // A signed S3 address: a content type that was not signed would be refused.
      const response = await fetch(url, {
        method: 'PUT',
        body,
        headers: { 'content-type': '' },
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      if (!response.ok) throw new Error(`CloudFormation's address answered ${response.status}`);
    },
  );
}
