import { BatchGetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { KILL_SWITCH_ID } from '../../../functions/domain/names.ts';
import { problem } from '../../../functions/domain/problem.ts';
import { seedExperiment, seedPayload } from '../domain/experiment-fixtures.ts';
import { CALLER, detailsOf } from '../domain/fixtures.ts';

const dynamo = mockClient(DynamoDBClient);
const documents = mockClient(DynamoDBDocumentClient);
const lambda = mockClient(LambdaClient);
const executions = mockClient(SFNClient);
const events = mockClient(EventBridgeClient);
const clients = [dynamo, documents, lambda, executions, events];

let handler: typeof import('../../../functions/api/start-experiment.lambda.ts').handler;
beforeAll(async () => {
  const names = ['AUDIT_TABLE', 'LEASE_TABLE', 'LOCK_TABLE', 'EXPERIMENT_TABLE', 'EVENT_BUS', 'STATE_MACHINE_ARN'];
  for (const name of [...names, 'ADMIT_FUNCTION']) vi.stubEnv(`HOLDFAST_${name}`, name.toLowerCase());
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  ({ handler } = await import('../../../functions/api/start-experiment.lambda.ts'));
});
beforeEach(() => {
  for (const client of clients) client.reset();
  const row = { leaseId: { S: KILL_SWITCH_ID }, state: { S: 'HOLD' } };
  dynamo.on(BatchGetItemCommand).resolves({ Responses: { lease_table: [row] } });
  documents.onAnyCommand().resolves({});
});
afterAll(() => {
  for (const client of clients) client.restore();
  vi.unstubAllEnvs();
});

/** As API Gateway hands it over: the last value of each parameter, and all of them. */
function post(query: string, headers: Record<string, string> = { 'content-type': 'application/json' }) {
  const sent = new URLSearchParams(query);
  const multi = Object.fromEntries([...sent.keys()].map((name) => [name, sent.getAll(name)]));
  const event = {
    headers,
    body: JSON.stringify({ ...seedPayload(), targetService: 'sessions-redis' }),
    queryStringParameters: query === '' ? null : Object.fromEntries(sent),
    multiValueQueryStringParameters: query === '' ? null : multi,
    requestContext: {
      requestId: 'request-1',
      identity: { userArn: CALLER.arn, accountId: CALLER.accountId, sourceIp: CALLER.sourceIp },
    },
  };
  // As much of the event as the route reads.
  return handler(event as unknown as APIGatewayProxyEvent);
}
function admissionSays(admission: object) {
  // The client's own class of bytes is not ours to import; a buffer is read in the same way.
  lambda.on(InvokeCommand).resolves({ Payload: Buffer.from(JSON.stringify(admission)) as never });
}
const reservationsRead = () =>
  documents.commandCalls(GetCommand).filter(({ args }) => args[0].input.TableName === 'experiment_table').length;

describe('POST with a query', () => {
  it.each([
    ['dryRun=1', 'dryRun'],
    ['dryRun=True', 'dryRun'],
    ['dryRun=TRUE', 'dryRun'],
    ['dryRun=yes', 'dryRun'],
    ['dryRun', 'dryRun'],
    ['dryRun=', 'dryRun'],
    ['dryRun=true%20', 'dryRun'],
    ['dryRun=true&dryRun=false', 'dryRun'],
    ['dryrun=true', 'dryrun'],
    ['dry_run=true', 'dry_run'],
    ['constructor=true', 'constructor'],
    ['dryRun=true&verbose=1', 'verbose'],
  ])('refuses ?%s, names the parameter, and asks and starts nothing', async (query, field) => {
    const { statusCode, body } = await post(query);
    expect(statusCode).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ type: 'urn:holdfast:problem:invalid-request', errors: [{ field }] });
    expect(clients.map((client) => client.calls().length)).toEqual([0, 0, 0, 0, 0]);
  });

  it('starts nothing with ?dryRun=true', async () => {
    admissionSays({ admitted: true, experiment: seedExperiment(), facts: { clusters: [], targets: [] }, wouldRun: [] });
    const { statusCode, body } = await post('dryRun=true');
    expect([statusCode, JSON.parse(body).dryRun]).toEqual([200, true]);
    expect([reservationsRead(), executions.calls().length]).toEqual([0, 0]);
  });

  it.each(['', 'dryRun=false'])('is a real start with "%s"', async (query) => {
    admissionSays({ admitted: false, problem: problem('alarm-firing', 'not started') });
    expect((await post(query)).statusCode).toBe(409);
    expect(reservationsRead()).toBe(1);
  });
});

describe('POST of a body', () => {
  it.each([
    [{}, 'Content-Type'],
    [{ 'Content-Type': 'application/x-www-form-urlencoded' }, 'Content-Type'],
    [{ 'content-type': 'application/json; charset=iso-8859-1' }, 'Content-Type'],
    [{ 'content-type': 'application/json', 'Content-Encoding': 'gzip' }, 'Content-Encoding'],
  ])('that is not said to be plain JSON starts nothing: %j', async (headers, field) => {
    const { statusCode, body } = await post('', headers as Record<string, string>);
    expect([statusCode, JSON.parse(body).errors[0].field]).toEqual([400, field]);
    expect(clients.map((client) => client.calls().length)).toEqual([0, 0, 0, 0, 0]);
  });

  it('is read when its JSON is said to be UTF-8', async () => {
    admissionSays({ admitted: false, problem: problem('alarm-firing', 'not started') });
    expect((await post('', { 'Content-Type': 'application/json; charset=UTF-8' })).statusCode).toBe(409);
  });
});

describe('the owner of a lock', () => {
  it('is a token of our own: two requests under one id of the caller own different locks', async () => {
    admissionSays({ admitted: true, ...detailsOf('ADMITTED'), wouldRun: [] });
    documents.on(QueryCommand).rejects(new Error('no answer'));
    await Promise.all([post(''), post('')]);
    const owners = documents
      .commandCalls(PutCommand)
      .filter(({ args }) => args[0].input.TableName === 'lock_table')
      .map(({ args }) => args[0].input.Item?.ownerToken);
    expect(new Set(owners).size).toBe(2);
    for (const owner of owners) expect(owner).toMatch(/^[0-9a-f-]{36}$/);
    expect(owners).not.toContain('request-1');
  });
});
