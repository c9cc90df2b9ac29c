import {
  ConditionalCheckFailedException,
  DuplicateItemException,
  type DynamoDBClient,
  type ExecuteStatementCommandInput,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Leases } from '../../../functions/tables/leases.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { localDynamo } from './local-dynamo.ts';

let leases: Leases;
let dynamo: DynamoDBClient;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ dynamo, close } = await localDynamo('leases', 'leaseId'));
  // The one PartiQL statement of ours as what DynamoDB makes of it; the name of the command says what its input is.
  dynamo.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== 'ExecuteStatementCommand') return next(args);
      return insert(args.input as ExecuteStatementCommandInput);
    },
    { step: 'initialize', priority: 'high' },
  );
  leases = new Leases({ dynamo, tableName: 'leases', clock: new SimulatedClock() });
});

afterAll(() => close());

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
  it('is made once by an attempt whose first answer was lost, and not again when somebody has used it', async () => {
    await leases.create('lost-answer');
    await leases.create('lost-answer');
    expect(await leases.read('lost-answer')).toMatchObject({ state: 'HOLD', beat: 0 });
    await leases.renew('lost-answer', []);
    await expect(leases.create('lost-answer')).rejects.toMatchObject({ name: 'LeaseReleased' });
  });

  it('counts beats and tells its readings while it is held', async () => {
    await leases.create('held');
    await leases.renew('held', []);
    expect(await leases.renew('held', [])).toMatchObject({ state: 'HOLD', beat: 2, readings: [] });
    await leases.grant('held', ['i-1 abc', 'i-2 def']);
    await leases.setEndsAt('held', '2026-05-29T13:13:00.000Z');
    const lease = await leases.read('held');
    expect(lease).toMatchObject({ beat: 2, endsAt: '2026-05-29T13:13:00.000Z' });
    expect(lease?.grants.sort()).toEqual(['i-1 abc', 'i-2 def']);
    // A later batch adds: what was granted before stays.
    await leases.grant('held', ['i-3 ghi']);
    expect((await leases.read('held'))?.grants.sort()).toEqual(['i-1 abc', 'i-2 def', 'i-3 ghi']);
  });

  it('refuses every renewal, grant and hold after a release, and names the first reason', async () => {
    await leases.create('released');
    expect(await leases.release('released', 'ABORT', 'by hand')).toBe(true);
    expect(await leases.release('released', 'ROLLBACK', 'later')).toBe(false);
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
});
