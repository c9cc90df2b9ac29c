import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { KILL_SWITCH_ID } from '../../../functions/domain/names.ts';
import {
  answerCustomResource,
  seedKillSwitch,
  seedKillSwitches,
} from '../../../functions/kill-switch/seed-kill-switch.ts';

const dynamo = mockClient(DynamoDBClient);
afterAll(() => dynamo.restore());
afterEach(() => dynamo.reset());
const client = new DynamoDBClient({ region: 'eu-west-1' });

async function answerTo(RequestType: 'Create' | 'Update' | 'Delete', seed: () => Promise<unknown>) {
  let answer: { url: string; body: Record<string, unknown> } | undefined;
  const request = {
    RequestType,
    ResponseURL: 'https://s3.example/x',
    StackId: 's',
    RequestId: 'r',
    LogicalResourceId: 'l',
  };
  await answerCustomResource(request, seed, async (url, body) => {
    answer = { url, body: JSON.parse(body) };
  });
  return answer;
}

describe('seeding the kill switch', () => {
  it('never overwrites a switch that is there', async () => {
    dynamo.on(PutItemCommand).rejects(new ConditionalCheckFailedException({ message: 'exists', $metadata: {} }));
    expect(await seedKillSwitch(client, 'leases', KILL_SWITCH_ID)).toBe('existed');
    const input = dynamo.commandCalls(PutItemCommand)[0]?.args[0].input;
    expect(input?.ConditionExpression).toBe('attribute_not_exists(leaseId)');
    expect(input?.Item).toEqual({ leaseId: { S: KILL_SWITCH_ID }, state: { S: 'HOLD' } });
  });

  it('makes one for all clusters, and one for each', async () => {
    dynamo.on(PutItemCommand).resolves({});
    await seedKillSwitches(client, 'leases', ['redis', 'kafka']);
    const made = dynamo.commandCalls(PutItemCommand).map(({ args }) => args[0].input.Item);
    expect(made).toEqual(
      ['GLOBAL', 'CLUSTER#redis', 'CLUSTER#kafka'].map((S) => ({ leaseId: { S }, state: { S: 'HOLD' } })),
    );
  });

  it('fails when nobody knows whether the row is there', async () => {
    dynamo.on(PutItemCommand).rejects(new Error('no answer'));
    await expect(seedKillSwitches(client, 'leases', ['redis'])).rejects.toThrow('no answer');
  });

  it('answers CloudFormation in any case', async () => {
    expect((await answerTo('Create', async () => {}))?.body).toMatchObject({ Status: 'SUCCESS', RequestId: 'r' });
    const failed = await answerTo('Update', async () => Promise.reject(new Error('no table')));
    expect(failed?.body).toMatchObject({ Status: 'FAILED', Reason: 'no table' });
  });

  it('touches nothing when the stack is deleted', async () => {
    const answer = await answerTo('Delete', async () => Promise.reject(new Error('must not be called')));
    expect(answer?.body).toMatchObject({ Status: 'SUCCESS' });
  });
});
