import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cursors } from '../../../functions/tables/cursors.ts';
import { localDynamo } from './local-dynamo.ts';

let cursors: Cursors;
let close: () => Promise<void>;
beforeAll(async () => {
  const local = await localDynamo('experiments', 'experimentId');
  close = local.close;
  cursors = new Cursors({ dynamo: local.dynamo, tableName: 'experiments' });
});
afterAll(() => close());

it('a cursor is where it was put last, each on its own, and nowhere before the first run', async () => {
  expect(await cursors.read('verified')).toBeUndefined();
  await cursors.write('verified', '2026-05-29T00:00:00.000Z');
  await cursors.write('verified', '2026-05-30T00:00:00.000Z');
  expect(await cursors.read('verified')).toBe('2026-05-30T00:00:00.000Z');
  expect(await cursors.read('exported')).toBeUndefined();
});
