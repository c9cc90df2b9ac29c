import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ExecuteStatementCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry, EntryDetails } from '../../../functions/domain/audit-entry.ts';
import { verifyChain } from '../../../functions/domain/hash-chain.ts';
import { AuditLog } from '../../../functions/tables/audit-log.ts';
import { CALLER, detailsOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';

type Row = Record<string, unknown> & { sequence: number };
let rows: Row[];
const documents = mockClient(DynamoDBDocumentClient);
afterAll(() => documents.restore());

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
  // The key of the table, which no statement leaves out.
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

function newLog(publish?: (entry: AuditEntry) => Promise<void>, clock = new SimulatedClock()) {
  const dynamo = new DynamoDBClient({ region: 'eu-west-1' });
  return new AuditLog({
    dynamo,
    tableName: 'audit',
    clock,
    ...(publish ? { publish: { publish } } : {}),
  });
}

const admitted = detailsOf('ADMITTED');

describe('the audit log', () => {
  it('writes only by INSERT and reads back an unbroken chain', async () => {
    const log = newLog();
    await log.append('exp', 'ADMITTED', CALLER, admitted);
    await log.append('exp', 'INJECTING', { function: 'inject-fault' }, detailsOf('INJECTING'));
    const entries = await log.read('exp');
    expect(entries.map(({ sequence, type }) => [sequence, type])).toEqual([
      [1, 'ADMITTED'],
      [2, 'INJECTING'],
    ]);
    expect(entries[0]).toMatchObject({ actor: CALLER, details: admitted });
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
        await newLog().append('exp', 'ABORT_REQUESTED', CALLER, detailsOf('ABORT_REQUESTED'));
      }
      return insert(input);
    });
    const entry = await log.append('exp', 'INJECTED', { function: 'inject-fault' }, detailsOf('INJECTED'));
    expect(entry.sequence).toBe(2);
    expect(verifyChain(await log.read('exp'))).toBeUndefined();
  });

  it('recognizes its own entry when the answer to the first try was lost', async () => {
    documents.on(ExecuteStatementCommand).callsFake((input) => {
      insert(input);
      throw new DuplicateItem('the client repeated the request');
    });
    expect((await newLog().append('exp', 'ADMITTED', CALLER, admitted)).sequence).toBe(1);
    expect(rows).toHaveLength(1);
  });

  it('writes once what several say at the same time, and publishes it once', async () => {
    const published: string[] = [];
    const log = newLog(async ({ type }) => void published.push(type));
    await log.append('exp', 'ADMITTED', CALLER, admitted);
    const said = detailsOf('ABORT_REQUESTED');
    const others = [1, 2].map((ms) => newLog(undefined, new SimulatedClock(ms)));
    const all = [log, ...others].map((each) => each.appendOnce('exp', 'ABORT_REQUESTED', CALLER, said));
    expect((await Promise.all(all)).filter((entry) => entry !== undefined)).toHaveLength(1);
    expect(await log.appendOnce('exp', 'ABORT_REQUESTED', CALLER, said)).toBeUndefined();
    expect(published).toEqual(['ADMITTED', 'ABORT_REQUESTED']);
    expect(await log.appendOnce('exp', 'ABORT_REQUESTED', CALLER, { ...said, detail: 'another' })).toBeDefined();
    expect(verifyChain(await log.read('exp'))).toBeUndefined();
  });

  it('gives the last entries first, and no more than are asked for', async () => {
    const log = newLog();
    for (const type of ['SCHEDULE_PAUSED', 'SCHEDULE_RESUMED', 'SCHEDULE_PAUSED'] as const)
      await log.append('exp', type, CALLER, detailsOf(type));
    expect((await log.latest('exp', 2)).map(({ sequence }) => sequence)).toEqual([3, 2]);
    rows.push({ ...rows[2], sequence: 4, type: 'NO_SUCH_TYPE' });
    await expect(log.latest('exp', 1)).rejects.toThrow(/entry 4/);
  });

  it('gives up after a bounded number of collisions', async () => {
    documents.on(ExecuteStatementCommand).rejects(new DuplicateItem('exists'));
    await expect(newLog().append('exp', 'ADMITTED', CALLER, admitted)).rejects.toThrow('exists');
    const tries = documents.commandCalls(ExecuteStatementCommand).length;
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThanOrEqual(20);
  });

  it('publishes no evidence in bulk: nobody has to wait for it', async () => {
    const published: string[] = [];
    const log = newLog(async ({ type }) => void published.push(type));
    await log.append('exp', 'LATENCY_RECORDED', { function: 'probe' }, detailsOf('LATENCY_RECORDED'));
    await log.append('exp', 'CHECKS_OBSERVED', { function: 'probe' }, detailsOf('CHECKS_OBSERVED'));
    await log.append('exp', 'PROBE_MEASURED', { function: 'probe' }, detailsOf('PROBE_MEASURED'));
    expect(published).toEqual(['PROBE_MEASURED']);
    expect(rows).toHaveLength(3);
  });

  it('says that an entry is written before it is published, to whoever may not wait for that', async () => {
    const log = newLog(() => new Promise<never>(() => {}));
    const { written } = log.beginAppend('exp', 'ADMITTED', CALLER, admitted);
    expect(await written).toMatchObject({ sequence: 1 });
    expect(rows).toHaveLength(1);
  });

  it('throws nothing at once at who does not wait for it: what cannot be written rejects', async () => {
    const endless: Record<string, unknown> = {};
    endless.self = endless;
    const { written, done } = newLog().beginAppend('exp', 'ADMITTED', CALLER, endless as unknown as typeof admitted);
    await expect(written).rejects.toThrow();
    await expect(done).rejects.toThrow();
  });

  it('publishes only what is in the log already, and does not fail when publishing fails', async () => {
    const published: number[] = [];
    const log = newLog(async () => {
      published.push(rows.length);
      throw new Error('no bus');
    });
    await expect(log.append('exp', 'ADMITTED', CALLER, admitted)).resolves.toMatchObject({ sequence: 1 });
    expect(published).toEqual([1]);
  });
});

describe('what does not fit its type', () => {
  it('is never written nor published: it could not be read again', async () => {
    let published = 0;
    const log = newLog(async () => {
      published += 1;
    });
    // As from a caller that the compiler does not see.
    const malformed = { ...detailsOf('INJECTED'), endsAt: undefined } as unknown as EntryDetails['INJECTED'];
    await expect(log.append('exp', 'INJECTED', { function: 'inject-fault' }, malformed)).rejects.toThrow(
      'audit log of exp, entry 1 (INJECTED): details.endsAt: ',
    );
    expect([rows, published]).toEqual([[], 0]);
    await expect(log.append('exp', 'ADMITTED', CALLER, admitted)).resolves.toMatchObject({ sequence: 1 });
  });

  it('and lies in the log already makes it unknown to whoever reads, by experiment, number and field', async () => {
    const log = newLog();
    await log.append('exp', 'ADMITTED', CALLER, admitted);
    await log.append('exp', 'ABORT_REQUESTED', CALLER, detailsOf('ABORT_REQUESTED'));
    Object.assign(rows[1] ?? {}, { details: '{"reason":"ABORT"}' });
    await expect(log.read('exp')).rejects.toThrow('audit log of exp, entry 2 (ABORT_REQUESTED): details.detail: ');
  });

  it('and lies in the log already does not keep a rollback from the rest, unless it is what was admitted', async () => {
    const log = newLog();
    await log.append('exp', 'ADMITTED', CALLER, admitted);
    await log.append('exp', 'ABORT_REQUESTED', CALLER, detailsOf('ABORT_REQUESTED'));
    await log.append('exp', 'ROLLING_BACK', { function: 'roll-back' }, detailsOf('ROLLING_BACK'));
    Object.assign(rows[1] ?? {}, { details: '{"reason":"OF_ANOTHER_VERSION"}' });
    const types = (await log.readToDecideRollback('exp')).map(({ type }) => type);
    expect(types).toEqual(['ADMITTED', 'ROLLING_BACK']);
    Object.assign(rows[0] ?? {}, { details: '{}' });
    await expect(log.readToDecideRollback('exp')).rejects.toThrow('audit log of exp, entry 1 (ADMITTED)');
  });

  it('and lies in the log already does not keep new entries from being appended behind it', async () => {
    const log = newLog();
    const first = await log.append('exp', 'ADMITTED', CALLER, admitted);
    Object.assign(rows[0] ?? {}, { type: 'OF_ANOTHER_VERSION', details: '{}', actor: '"nobody"' });
    const next = await log.append('exp', 'ROLLING_BACK', { function: 'roll-back' }, detailsOf('ROLLING_BACK'));
    expect(next).toMatchObject({ sequence: 2, previousHash: first.hash });
    expect(rows).toHaveLength(2);
  });
});
