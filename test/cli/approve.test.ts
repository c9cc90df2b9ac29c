import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { logOf } from '../functions/domain/fixtures.ts';
import { holdfast, PlayedApi } from './command.ts';
import { CLUSTER_FACTS, TARGETS } from './dry-run-fixture.ts';

const EXAMPLE = 'examples/redis-partition.json';
const ID = 'exp_chaos_redis_019';
const HASH = 'a'.repeat(64);
const APPROVAL = { hash: HASH, mayNotApprove: 'role sre of account 111122223333', expiresMinutes: 60 };
const DRY_RUN = {
  admitted: true,
  experiment: { faults: [{ faultId: 'exp_1.1', kind: 'NETWORK_PARTITION' }] },
  facts: { clusters: [CLUSTER_FACTS], targets: TARGETS, approval: APPROVAL },
};
const PENDING = {
  ...{ experimentId: ID, status: 'PENDING_APPROVAL', outcome: null, timeline: [] },
  approval: { ...APPROVAL, expiresAt: '2026-05-29T14:12:00.000Z' },
};

const api = new PlayedApi();
let known = false;
let approveAnswer: { status: number; body: unknown };
beforeAll(() => api.start());
afterAll(() => api.stop());
beforeEach(() => {
  api.asked.length = 0;
  known = false;
  approveAnswer = { status: 202, body: { experimentId: ID, status: 'INJECTED' } };
  api.answer = ({ method, url }) => {
    if (url.includes('dryRun=true')) return { status: 200, body: DRY_RUN };
    if (url.endsWith('/approve')) return approveAnswer;
    if (method === 'POST') {
      known = true;
      return { status: 202, body: PENDING };
    }
    return known ? { status: 200, body: PENDING } : { status: 404, body: {} };
  };
});

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'test' };
const ask = (argv: string[], changes: Parameters<typeof holdfast>[2] = {}) => {
  Object.assign(process.env, KEYS);
  return holdfast([...argv, '--url', api.url], {}, changes);
};
const posted = () => api.asked.filter(({ method, url }) => method === 'POST' && !url.includes('dryRun'));

/** A terminal on which somebody presses that key. */
const terminal = (key: string, output: { text: string }) => ({
  stdout: { isTTY: true, rows: 50, write: (text: string) => (output.text += text) },
  stdin: {
    isTTY: true,
    setRawMode: () => undefined,
    on: (_: 'data', listener: (data: Buffer) => void) => void setTimeout(() => listener(Buffer.from(key)), 5),
    off: () => undefined,
    resume: () => undefined,
    pause: () => undefined,
  },
});

describe('run on a cluster that asks for an approval', () => {
  test('says who may not give it and with which command somebody else does, and has an exit code of its own', async () => {
    const { code, stdout } = await ask(['run', EXAMPLE]);
    expect(code).toBe(EXIT.pendingApproval);
    expect(stdout).toContain('starts when another person than role sre of account 111122223333 approves it');
    expect(stdout).toContain(`holdfast approve ${ID}`);
    expect(stdout).toContain('not by role sre of account 111122223333');
  });

  test('starts nothing the second time, and says the same', async () => {
    await ask(['run', EXAMPLE]);
    api.asked.length = 0;
    const { code, stdout } = await ask(['run', EXAMPLE]);
    expect([code, posted()]).toEqual([EXIT.pendingApproval, []]);
    expect(stdout).toContain(`holdfast approve ${ID}`);
  });

  test('a campaign does not begin: nobody approves each of its runs', async () => {
    const { code, stdout } = await ask(['campaign', EXAMPLE, '--runs', '2']);
    expect([code, posted()]).toEqual([EXIT.pendingApproval, []]);
    expect(stdout).toContain('a campaign is for clusters without approval');
  });

  test('status shows that it waits, and is not over', async () => {
    known = true;
    const { code, stdout } = await ask(['status', ID]);
    expect(code).toBe(EXIT.notOver);
    expect(stdout).toContain('PENDING_APPROVAL');
    expect(stdout).toContain(`holdfast approve ${ID}`);
  });
});

describe('approve', () => {
  test('shows what it would do now, and sends the hash of exactly that when it is answered with y', async () => {
    const output = { text: '' };
    const { code } = await ask(['approve', ID], terminal('y', output));
    expect(output.text).toContain('NETWORK_PARTITION on redis-node-3');
    expect(code).toBe(EXIT.confirmed);
    expect(posted().map(({ url, body }) => [url.replace(/^.*experiments/, ''), body])).toEqual([
      [`/${ID}/approve`, JSON.stringify({ hash: HASH })],
    ]);
  });

  test.each(['n', '\r', '\u0003'])('answered with %j approves nothing', async (key) => {
    const { code } = await ask(['approve', ID], terminal(key, { text: '' }));
    expect([code, posted()]).toEqual([EXIT.aborted, []]);
  });

  test('without a terminal approves only what has the hash that it is given', async () => {
    const asked = await ask(['approve', ID]);
    expect([asked.code, posted()]).toEqual([EXIT.usage, []]);
    expect(asked.stderr).toContain(`--hash ${HASH}`);
    const { code } = await ask(['approve', ID, '--hash', 'b'.repeat(64)]);
    expect(code).toBe(EXIT.confirmed);
    expect(posted().map(({ body }) => body)).toEqual([JSON.stringify({ hash: 'b'.repeat(64) })]);
  });

  test('that the API refuses is refused', async () => {
    const type = 'urn:holdfast:problem:approval-refused';
    approveAnswer = { status: 403, body: { type, title: 'no', status: 403, detail: 'the author' } };
    expect((await ask(['approve', ID, '--hash', HASH])).code).toBe(EXIT.refused);
  });
});

describe('verify --from', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'holdfast-export-')), 'log.jsonl');
  const write = (...entries: object[]) =>
    writeFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  const log = logOf('exp', ['ADMITTED'], ['INJECTING'], ['CONCLUDED']);

  test('verifies each log of an export from the file alone', async () => {
    write(...log, ...logOf('REFUSAL#1', ['REFUSED']));
    const { code, stdout } = await holdfast(['verify', '--from', file]);
    expect(stdout).toContain('The log of exp is unbroken: 3 entries.');
    expect(stdout).toContain('The log of REFUSAL#1 is unbroken: 1 entries, and no verdict among them.');
    expect(code).toBe(EXIT.confirmed);
  });

  test('finds what was changed in it', async () => {
    write(...log.map((entry, index) => (index === 1 ? { ...entry, at: '2026-01-01T00:00:00.000Z' } : entry)));
    const { code, stdout } = await holdfast(['verify', '--from', file]);
    expect(stdout).toContain('The log of exp is BROKEN at entry 2 of 3.');
    expect(code).toBe(EXIT.deviated);
  });

  test('does not say of an experiment without its verdict that it is whole: its end may be cut off', async () => {
    write(...log.slice(0, 2));
    const { code, stdout } = await holdfast(['verify', '--from', file]);
    expect(stdout).toContain('The log of exp is unbroken: 2 entries, and no verdict among them.');
    expect(code).toBe(EXIT.notOver);
  });

  test('says of a file that is none which line is wrong, and wants an id or a file', async () => {
    writeFileSync(file, `${JSON.stringify(log[0])}\nnonsense\n`);
    const wrong = await holdfast(['verify', '--from', file]);
    expect([wrong.code, wrong.stderr]).toEqual([EXIT.usage, expect.stringContaining(`${file}:2 is no entry of a log`)]);
    expect((await holdfast(['verify'])).code).toBe(EXIT.usage);
    expect((await holdfast(['verify', ID, '--from', file])).code).toBe(EXIT.usage);
  });
});
