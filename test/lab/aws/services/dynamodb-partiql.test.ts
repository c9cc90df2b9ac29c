import { describe, expect, it } from 'vitest';
import { parseInsert } from '../../../../lab/aws/services/dynamodb-partiql.ts';

describe('PartiQL', () => {
  it.each([
    'UPDATE "t" SET a = ?',
    'INSERT INTO "t" VALUE {\'a\': 1}',
    'DELETE FROM "t"',
    "INSERT INTO t VALUE {'a': ?}",
  ])('refuses %s', (Statement) => {
    expect(() => parseInsert({ Statement, Parameters: [{ S: 'x' }] })).toThrow(/the lab knows only INSERT/);
  });
});
