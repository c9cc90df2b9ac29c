import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient, ExecuteStatementCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CALLER } from '../domain/fixtures.ts';

const documents = mockClient(DynamoDBDocumentClient);
const lambda = mockClient(LambdaClient);
const events = mockClient(EventBridgeClient);
const clients = [documents, lambda, events];
const CONTEXT = { invokedFunctionArn: 'arn:aws:lambda:eu-west-1:111122223333:function:RunSchedule' };
/** Of the configuration that is shipped. */
const EVENT = { schedule: 'weekly-partition', scheduledAt: '2026-06-02T09:00:00Z' };

let handler: typeof import('../../../functions/schedule/run-schedule.lambda.ts').handler;
beforeAll(async () => {
  for (const name of ['AUDIT_TABLE', 'EXPERIMENT_TABLE', 'EVENT_BUS', 'START_FUNCTION'])
    vi.stubEnv(`HOLDFAST_${name}`, name.toLowerCase());
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  ({ handler } = await import('../../../functions/schedule/run-schedule.lambda.ts'));
});
beforeEach(() => {
  for (const client of clients) client.reset();
  documents.onAnyCommand().resolves({});
  const answer = { statusCode: 202, body: '{"experimentId":"x","status":"INJECTED"}' };
  // The client's own class of bytes is not ours to import; a buffer is read in the same way.
  lambda.on(InvokeCommand).resolves({ Payload: Buffer.from(JSON.stringify(answer)) as never });
});
afterAll(() => {
  for (const client of clients) client.restore();
  vi.unstubAllEnvs();
});
const sent = () =>
  lambda.commandCalls(InvokeCommand).map(({ args: [{ input }] }) => ({
    function: input.FunctionName,
    ...JSON.parse(String(input.Payload)),
  }));

describe('the function that EventBridge Scheduler calls', () => {
  it('is the principal of its schedule in the account it runs in', async () => {
    const { run } = await handler(EVENT, CONTEXT);
    expect(run.result).toBe('STARTED');
    const identity = {
      userArn: 'schedule/weekly-partition',
      accountId: '111122223333',
      sourceIp: 'scheduler.amazonaws.com',
    };
    expect(sent()).toMatchObject([{ function: 'start_function', requestContext: { identity } }]);
    expect(JSON.parse(sent()[0]?.body).experimentId).toBe('weekly-partition-20260602T090000Z');
    expect(documents.commandCalls(ExecuteStatementCommand)).toHaveLength(1);
  });

  it('speaks for whoever the API asks for', async () => {
    await handler({ ...EVENT, caller: CALLER }, CONTEXT);
    expect(sent()).toMatchObject([{ requestContext: { identity: { userArn: CALLER.arn } } }]);
  });

  it.each([
    ['no time', { schedule: 'weekly-partition' }],
    ['an attribute that Scheduler did not replace', { ...EVENT, scheduledAt: '<aws.scheduler.scheduled-time>' }],
    ['a field more', { ...EVENT, experiment: {} }],
    ['nothing', undefined],
    ['a schedule that is not configured', { ...EVENT, schedule: 'other' }],
  ])('throws at %s, and asks nobody', async (_what, event) => {
    await expect(async () => handler(event, CONTEXT)).rejects.toThrow();
    expect(lambda.calls()).toEqual([]);
  });
});
