import type { AddressInfo } from 'node:net';
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DuplicateItemException,
  DynamoDBClient,
  type ExecuteStatementCommandInput,
  PutItemCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Leases } from '../../../functions/tables/leases.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';

const server = dynalite({ createTableMs: 0 });
let leases: Leases;
let dynamo: DynamoDBClient;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  dynamo = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await dynamo.send(
    new CreateTableCommand({
      TableName: 'leases',
      AttributeDefinitions: [{ AttributeName: 'leaseId', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'leaseId', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  // The server knows no PartiQL: the one statement of ours as what DynamoDB makes of it.
  dynamo.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== 'ExecuteStatementCommand') return next(args);
      return insert(args.input as ExecuteStatementCommandInput);
    },
    { step: 'initialize', priority: 'high' },
  );
  await waitUntilTableExists(
    { client: dynamo, minDelay: 0.01, maxDelay: 0.1, maxWaitTime: 5 },
    { TableName: 'leases' },
  );
  leases = new Leases({ dynamo, tableName: 'leases', clock: new SimulatedClock() });
});

afterAll(async () => {
  dynamo.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function insert({ Statement = '', Parameters = [] }: ExecuteStatementCommandInput) {
  const [, tableName = '', fields = ''] = /^INSERT INTO "(\w+)" VALUE \{(.*)\}$/.exec(Statement) ?? [];
  const names = [...fields.matchAll(/'(\w+)': \?/g)].map(([, name = '']) => name);
  expect(names).toHaveLength(Parameters.length);
  try {
    const output = await dynamo.send(
      new PutItemCommand({
        TableName: tableName,
        Item: Object.fromEntries(names.map((name, index) => [name, Parameters[index] ?? { NULL: true }])),
        ConditionExpression: 'attribute_not_exists(leaseId)',
      }),
    );
    return { output, response: undefined };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    throw new DuplicateItemException({ message: 'Duplicate primary key exists in table', $metadata: {} });
  }
}

describe('lease', () => {
  it('counts beats and tells its readings while it is held', async () => {
    await leases.create('held');
    await leases.renew('held', []);
    expect(await leases.renew('held', [])).toMatchObject({ state: 'HOLD', beat: 2, readings: [] });
    await leases.grant('held', ['i-1 abc', 'i-2 def']);
    await leases.setEndsAt('held', '2026-05-29T13:13:00.000Z');
    const lease = await leases.read('held');
    expect(lease).toMatchObject({ beat: 2, endsAt: '2026-05-29T13:13:00.000Z' });
    expect(lease?.grants.sort()).toEqual(['i-1 abc', 'i-2 def']);
    // A later turn adds: what was granted before stays.
    await leases.grant('held', ['i-3 ghi']);
    expect((await leases.read('held'))?.grants.sort()).toEqual(['i-1 abc', 'i-2 def', 'i-3 ghi']);
  });

  it('refuses every renewal, grant and hold after a release, and names the first reason', async () => {
    await leases.create('released');
    await leases.release('released', 'ABORT', 'by hand');
    await leases.release('released', 'ROLLBACK', 'later');
    const refusal = { name: 'LeaseReleased', message: expect.stringContaining('ABORT: by hand') };
    await expect(leases.renew('released', [])).rejects.toMatchObject(refusal);
    await expect(leases.grant('released', ['i-1 abc'])).rejects.toMatchObject(refusal);
    await expect(leases.setEndsAt('released', 'x')).rejects.toMatchObject(refusal);
    expect(await leases.read('released')).toMatchObject({
      state: 'RELEASED',
      beat: 0,
      grants: [],
      releaseReason: 'ABORT',
    });
  });

  it('is never created over another, held or released', async () => {
    await leases.create('once');
    await leases.renew('once', []);
    await expect(leases.create('once')).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(await leases.read('once')).toMatchObject({ state: 'HOLD', beat: 1 });
    await leases.release('once', 'ABORT', 'by hand');
    await expect(leases.create('once')).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(await leases.read('once')).toMatchObject({ state: 'RELEASED' });
  });

  it('can be released before it exists, so that nothing begins afterwards', async () => {
    await leases.release('never', 'SWEEP', 'unknown');
    await expect(leases.create('never')).rejects.toMatchObject({ name: 'LeaseReleased' });
    await expect(leases.renew('never', [])).rejects.toMatchObject({ name: 'LeaseReleased' });
  });

  it('does not let a beat create a lease that nobody held', async () => {
    await expect(leases.renew('unborn', [])).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(await leases.read('unborn')).toBeUndefined();
  });

  it('takes the kill switch as engaged unless its row says HOLD', async () => {
    expect(await leases.killSwitchEngaged()).toBe(true);
    const global = (state: string) =>
      new PutItemCommand({ TableName: 'leases', Item: { leaseId: { S: 'GLOBAL' }, state: { S: state } } });
    await dynamo.send(global('HOLD'));
    expect(await leases.killSwitchEngaged()).toBe(false);
    await dynamo.send(global('hold?'));
    expect(await leases.killSwitchEngaged()).toBe(true);
  });
});
