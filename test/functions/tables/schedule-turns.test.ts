import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScheduleTurns } from '../../../functions/tables/schedule-turns.ts';
import { EPOCH_MS } from '../domain/fixtures.ts';
import { localDynamo } from './local-dynamo.ts';

let turns: ScheduleTurns;
let close: () => Promise<void>;

beforeAll(async () => {
  const local = await localDynamo('experiments', 'experimentId');
  close = local.close;
  turns = new ScheduleTurns({ dynamo: local.dynamo, tableName: 'experiments' });
});
afterAll(() => close());

const take = (at: string, token: string, nowEpochMs = EPOCH_MS) =>
  turns.take('weekly', at, token, { nowEpochMs, untilEpochMs: nowEpochMs + 1000 });

describe('the turn to ask for one time of a schedule', () => {
  it('has one owner, whoever else asks for it, until he gives it back', async () => {
    expect(await take('a', 't1')).toBe(true);
    expect(await take('a', 't2')).toBe(false);
    expect(await take('another', 't2')).toBe(true);
    await turns.giveBack('weekly', 'a', 't2');
    expect(await take('a', 't2')).toBe(false);
    await turns.giveBack('weekly', 'a', 't1');
    expect(await take('a', 't2')).toBe(true);
  });

  it('is taken from one who died once it is void, and he cannot give it back then', async () => {
    expect(await take('b', 't1')).toBe(true);
    expect(await take('b', 't2', EPOCH_MS + 1000)).toBe(false);
    expect(await take('b', 't2', EPOCH_MS + 1001)).toBe(true);
    await turns.giveBack('weekly', 'b', 't1');
    expect(await take('b', 't3', EPOCH_MS + 1001)).toBe(false);
  });

  it('is his of several who take it side by side', async () => {
    const taken = await Promise.all(['t1', 't2', 't3', 't4'].map((token) => take('c', token)));
    expect(taken.filter(Boolean)).toHaveLength(1);
  });
});
