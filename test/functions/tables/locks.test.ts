import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Locks } from '../../../functions/tables/locks.ts';
import { iso } from '../domain/fixtures.ts';
import { localDynamo } from './local-dynamo.ts';

let locks: Locks;
let close: () => Promise<void>;

beforeAll(async () => {
  const local = await localDynamo('locks', 'cluster');
  close = local.close;
  locks = new Locks({ dynamo: local.dynamo, tableName: 'locks' });
});
afterAll(() => close());

const lock = (cluster: string, experimentId: string) => ({ cluster, experimentId, endsAt: iso(60) });

describe('the lock of a cluster', () => {
  it('is taken once, and again only by the same request', async () => {
    expect(await locks.take(lock('a', 'exp'), 'r1')).toBe(true);
    expect(await locks.take(lock('a', 'exp'), 'r1')).toBe(true);
    expect(await locks.take(lock('a', 'exp'), 'r2')).toBe(false);
    expect(await locks.take(lock('a', 'other'), 'r3')).toBe(false);
    expect(await locks.holder('a')).toBe('exp');
  });

  it('is not given back by a repeated request of the same experiment', async () => {
    await locks.take(lock('b', 'exp'), 'r1');
    expect(await locks.giveBack('b', 'r2')).toBe(false);
    expect(await locks.holder('b')).toBe('exp');
    expect(await locks.giveBack('b', 'r1')).toBe(true);
    expect(await locks.holder('b')).toBeUndefined();
  });

  it('is freed at the end by its experiment only', async () => {
    await locks.take(lock('c', 'exp'), 'r1');
    expect(await locks.release('c', 'other')).toBe(false);
    expect(await locks.release('c', 'exp')).toBe(true);
    expect(await locks.release('c', 'exp')).toBe(false);
  });

  it('is listed with its end, so that the sweep knows what is past it', async () => {
    await locks.take(lock('d', 'exp'), 'r1');
    expect(await locks.list()).toContainEqual(lock('d', 'exp'));
  });
});
