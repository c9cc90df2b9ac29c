import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { CustomResourceRequest } from '../../../functions/kill-switch/seed-kill-switch.ts';
import { loadConfiguration } from '../../../lib/load-configuration.ts';

const [dynamo, cloudWatch] = [mockClient(DynamoDBClient), mockClient(CloudWatchClient)];
const answers: unknown[] = [];
beforeAll(() => {
  vi.stubEnv('HOLDFAST_LEASE_TABLE', 'leases');
  vi.stubEnv('HOLDFAST_STACK_NAME', 'Stack');
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubGlobal('fetch', async (_url: string, { body }: { body: string }) => {
    answers.push(JSON.parse(body));
    return new Response();
  });
});
afterAll(() => {
  for (const client of [dynamo, cloudWatch]) client.restore();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

it('makes the heartbeat of every cluster known at deployment, without saying that anybody watches', async () => {
  dynamo.on(PutItemCommand).resolves({});
  cloudWatch.on(PutMetricDataCommand).resolves({});
  const { handler } = await import('../../../functions/kill-switch/seed-kill-switch.lambda.ts');
  const request: CustomResourceRequest = {
    ...{ RequestType: 'Create', ResponseURL: 'https://s3.example/x', StackId: 's' },
    ...{ RequestId: 'r', LogicalResourceId: 'l' },
  };
  await handler(request);
  const { clusters } = (await loadConfiguration('holdfast.config.ts')).configuration;
  const data = cloudWatch.commandCalls(PutMetricDataCommand).flatMap(({ args }) => args[0].input.MetricData ?? []);
  expect(data.map(({ MetricName, Value }) => [MetricName, Value])).toEqual([
    ...Object.keys(clusters).map(() => ['GuardHeartbeat', 0]),
    // Else the alarm over missing verifications would fire until the first one.
    ['BrokenAuditLogs', 0],
  ]);
  expect(answers).toMatchObject([{ Status: 'SUCCESS' }]);
  cloudWatch.on(PutMetricDataCommand).rejects(new Error('no answer'));
  await handler(request);
  expect(answers).toMatchObject([{ Status: 'SUCCESS' }, { Status: 'FAILED', Reason: 'no answer' }]);
});
