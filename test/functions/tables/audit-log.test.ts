import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ExecuteStatementCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { verifyChain } from '../../../functions/domain/hash-chain.ts';
import { AuditLog } from '../../../functions/tables/audit-log.ts';
import { CALLER, fakeClock } from '../domain/fixtures.ts';

type Row = Record<string, unknown> & { sequence: number };
let rows: Row[];
const documents = mockClient(DynamoDBDocumentClient);

class DuplicateItem extends Error {
  override name = 'DuplicateItemException';
}

function insert({
  Statement = '',
  Parameters = [],
}: {
  Statement?: string | undefined;
  Parameters?: unknown[] | undefined;
}) {
  const names = [...Statement.matchAll(/'(\w+)': \?/g)].map(([, name]) => name ?? '');
  const row = Object.fromEntries(names.map((name, index) => [name, Parameters[index]])) as Row;
  if (rows.some(({ sequence }) => sequence === row.sequence)) throw new DuplicateItem('exists');
  rows.push(row);
  return {};
}

beforeEach(() => {
  rows = [];
  documents.reset();
  documents.on(ExecuteStatementCommand).callsFake(insert);
  documents
    .on(QueryCommand)
    .callsFake(({ ScanIndexForward, Limit, ExpressionAttributeValues: values, ConsistentRead }) => {
      expect(ConsistentRead).toBe(true);
      const wanted = values?.[':sequence'];
      const found = rows.filter(({ sequence }) => wanted === undefined || sequence === wanted);
      const ordered = found.toSorted((a, b) =>
        ScanIndexForward === false ? b.sequence - a.sequence : a.sequence - b.sequence,
      );
      return { Items: ordered.slice(0, Limit ?? ordered.length) };
    });
});
afterEach(() => documents.reset());

function newLog(publish?: (entry: AuditEntry) => Promise<void>) {
  const dynamo = new DynamoDBClient({ region: 'eu-west-1' });
  return new AuditLog({ dynamo, tableName: 'audit', clock: fakeClock(), ...(publish ? { publish: { publish } } : {}) });
}

describe('the audit log', () => {
  it('writes only by INSERT and reads back an unbroken chain', async () => {
    const log = newLog();
    await log.append('exp', 'ADMITTED', CALLER, { nested: { b: 1, a: undefined } });
    await log.append('exp', 'INJECTING', { function: 'inject-fault' }, {});
    const entries = await log.read('exp');
    expect(entries.map(({ sequence, type }) => [sequence, type])).toEqual([
      [1, 'ADMITTED'],
      [2, 'INJECTING'],
    ]);
    expect(entries[0]?.actor).toEqual(CALLER);
    expect(verifyChain(entries)).toBeUndefined();
    const statements = documents.commandCalls(ExecuteStatementCommand).map(({ args }) => args[0].input.Statement);
    expect(statements.every((statement) => statement?.startsWith('INSERT INTO "audit" VALUE {'))).toBe(true);
  });

  it('loses no entry when another writer takes the same sequence first', async () => {
    const log = newLog();
    let raced = false;
    documents.on(ExecuteStatementCommand).callsFake(async (input) => {
      if (!raced) {
        raced = true;
        await newLog().append('exp', 'ABORT_REQUESTED', CALLER, {});
      }
      return insert(input);
    });
    const entry = await log.append('exp', 'INJECTED', { function: 'inject-fault' }, {});
    expect(entry.sequence).toBe(2);
    expect(verifyChain(await log.read('exp'))).toBeUndefined();
  });

  it('recognizes its own entry when the answer to the first try was lost', async () => {
    documents.on(ExecuteStatementCommand).callsFake((input) => {
      insert(input);
      throw new DuplicateItem('the client repeated the request');
    });
    expect((await newLog().append('exp', 'ADMITTED', CALLER, {})).sequence).toBe(1);
    expect(rows).toHaveLength(1);
  });

  it('gives up after a bounded number of collisions', async () => {
    documents.on(ExecuteStatementCommand).rejects(new DuplicateItem('exists'));
    await expect(newLog().append('exp', 'ADMITTED', CALLER, {})).rejects.toThrow('exists');
    expect(documents.commandCalls(ExecuteStatementCommand)).toHaveLength(10);
  });

  it('publishes only what is in the log already, and does not fail when publishing fails', async () => {
    const published: number[] = [];
    const log = newLog(async () => {
      published.push(rows.length);
      throw new Error('no bus');
    });
    await expect(log.append('exp', 'ADMITTED', CALLER, {})).resolves.toMatchObject({ sequence: 1 });
    expect(published).toEqual([1]);
  });
});
