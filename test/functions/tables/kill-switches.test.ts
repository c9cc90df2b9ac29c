import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { switchIdOf } from '../../../functions/domain/kill-switch.ts';
import { KillSwitches } from '../../../functions/tables/kill-switches.ts';
import { EPOCH_MS } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { localDynamo } from './local-dynamo.ts';

const TABLE = 'leases';
const [ANNA, BEN] = ['arn:aws:iam::111122223333:user/anna', 'arn:aws:iam::111122223333:user/ben'];
const at = new Date(EPOCH_MS).toISOString();
let dynamo: DynamoDBClient;
let switches: KillSwitches;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ dynamo, close } = await localDynamo(TABLE, 'leaseId'));
  switches = new KillSwitches({ dynamo, tableName: TABLE, clock: new SimulatedClock() });
});
afterAll(() => close());

const put = (cluster: string | undefined, state: string) =>
  dynamo.send(
    new PutItemCommand({ TableName: TABLE, Item: { leaseId: { S: switchIdOf(cluster) }, state: { S: state } } }),
  );
const rowOf = async (cluster?: string) =>
  (await dynamo.send(new GetItemCommand({ TableName: TABLE, Key: { leaseId: { S: switchIdOf(cluster) } } }))).Item;

describe('a kill switch', () => {
  beforeEach(async () => {
    for (const cluster of [undefined, 'redis', 'kafka']) await put(cluster, 'HOLD');
  });

  it('keeps nothing from starting while its row, and that of all, say HOLD', async () => {
    expect(await switches.engaged(['redis', 'kafka'])).toBeUndefined();
  });

  it.each(['RELEASED', 'hold', 'hold?', ''])('counts as engaged when its row says "%s"', async (state) => {
    await put('redis', state);
    expect(await switches.engaged(['redis'])).toMatchObject({ cluster: 'redis', engaged: true });
    expect(await switches.engaged(['kafka'])).toBeUndefined();
    await put(undefined, state);
    expect(await switches.engaged(['kafka'])).toEqual({ engaged: true, engagement: {} });
  });

  it('counts as engaged when its row is missing', async () => {
    expect(await switches.engaged(['unseeded'])).toEqual({
      ...{ cluster: 'unseeded', engaged: true },
      engagement: { reason: 'its row is missing' },
    });
  });

  it('is unknown, and throws, when DynamoDB leaves a row unread', async () => {
    const unread = { [TABLE]: { Keys: [{ leaseId: { S: 'GLOBAL' } }] } };
    const partial = { send: async () => ({ Responses: { [TABLE]: [] }, UnprocessedKeys: unread }) };
    const clock = new SimulatedClock();
    const table = new KillSwitches({ dynamo: partial as unknown as DynamoDBClient, tableName: TABLE, clock });
    await expect(table.engaged([])).rejects.toThrow(/not read every/);
  });

  it('says who engaged it, when and why; whoever comes second changes nothing', async () => {
    expect(await switches.engage('redis', { by: ANNA, reason: 'a bad release' })).toBe(true);
    expect(await switches.engage('redis', { by: BEN, reason: 'the same' })).toBe(false);
    const engagement = { by: ANNA, at, reason: 'a bad release' };
    expect(await switches.engaged(['redis'])).toEqual({ cluster: 'redis', engaged: true, engagement });
    expect(await switches.engaged(['kafka'])).toBeUndefined();
  });

  it('is engaged also where its row is missing or says something else: hosts read RELEASED then', async () => {
    expect(await switches.engage('new', { by: ANNA, reason: 'x' })).toBe(true);
    expect((await rowOf('new'))?.state).toEqual({ S: 'RELEASED' });
    await put(undefined, 'hold?');
    expect(await switches.engage(undefined, { by: ANNA, reason: 'x' })).toBe(true);
    expect((await rowOf())?.state).toEqual({ S: 'RELEASED' });
  });

  it('is re-armed by whoever says why, and tells nothing of an engagement that is over', async () => {
    await switches.engage(undefined, { by: ANNA, reason: 'a bad release' });
    expect(await switches.reArm(undefined, { by: BEN, reason: 'rolled back' })).toBe(true);
    expect(await switches.reArm(undefined, { by: ANNA, reason: 'again' })).toBe(false);
    const lastReArmed = { by: BEN, at, reason: 'rolled back' };
    expect((await switches.read([]))[0]).toEqual({ engaged: false, lastReArmed });
    // By hand, past the API: then nobody is named for it.
    await dynamo.send(
      new PutItemCommand({ TableName: TABLE, Item: { ...(await rowOf()), state: { S: 'RELEASED' } } as never }),
    );
    expect((await switches.read([]))[0]).toEqual({ engaged: true, engagement: {}, lastReArmed });
  });
});
