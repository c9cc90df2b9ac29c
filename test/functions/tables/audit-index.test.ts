import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIT_INDEX } from '../../../functions/domain/names.ts';
import { AuditIndex } from '../../../functions/tables/audit-index.ts';
import { iso } from '../domain/fixtures.ts';
import { localDynamo } from './local-dynamo.ts';

let index: AuditIndex;
let close: () => Promise<void>;

const text = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
const hash = (AttributeName: string) => ({ AttributeName, KeyType: 'HASH' as const });
const range = (AttributeName: string) => ({ AttributeName, KeyType: 'RANGE' as const });

beforeAll(async () => {
  const local = await localDynamo('audit', 'experimentId', {
    AttributeDefinitions: [text('experimentId'), { ...text('sequence'), AttributeType: 'N' }, text('type'), text('at')],
    KeySchema: [hash('experimentId'), range('sequence')],
    GlobalSecondaryIndexes: [
      { IndexName: AUDIT_INDEX, KeySchema: [hash('type'), range('at')], Projection: { ProjectionType: 'KEYS_ONLY' } },
    ],
  });
  close = local.close;
  index = new AuditIndex({ dynamo: local.dynamo, tableName: 'audit' });
  for (const [id, second] of [
    ['b', 2],
    ['a', 1],
    ['c', 3],
    ['d', 4],
  ] as const) {
    for (const [sequence, type] of [
      [1, 'ADMITTED'],
      [2, 'CONCLUDED'],
    ] as const) {
      const at = iso(second + 10 * sequence);
      const Item = { experimentId: { S: id }, sequence: { N: `${sequence}` }, type: { S: type }, at: { S: at } };
      await local.dynamo.send(new PutItemCommand({ TableName: 'audit', Item }));
    }
  }
});
afterAll(() => close());

describe('the index of the log', () => {
  it('finds entries of one type in the order in which they were written, from one moment to just before another', async () => {
    const found = await index.find('CONCLUDED', iso(21), iso(24));
    expect(found.map(({ experimentId }) => experimentId)).toEqual(['a', 'b', 'c']);
    expect(await index.find('ADMITTED', iso(21), iso(99))).toEqual([]);
  });

  it('gives no more than is asked for, the oldest', async () => {
    expect((await index.find('CONCLUDED', iso(0), iso(99), 2)).map(({ experimentId }) => experimentId)).toEqual([
      'a',
      'b',
    ]);
  });
});
