import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../../cli/exit-codes.ts';
import { PlayedApi } from '../../cli/command.ts';

const ID = 'exp_chaos_redis_019';
const COMMAND = [process.execPath, 'bin/holdfast.ts', 'run', 'examples/redis-partition.json'];
const CTRL_C = '\u0003';
const ESCAPE = '\u001b';

let api: PlayedApi;
let environment: NodeJS.ProcessEnv;
beforeAll(async () => {
  api = new PlayedApi();
  await api.start();
  const { CI: _, NO_COLOR: __, ...others } = process.env;
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's', AWS_REGION: 'eu-west-1' };
  environment = { ...others, ...keys, HOLDFAST_URL: api.url, TERM: 'xterm' };
});
afterAll(() => api.stop());

/** Runs until it is aborted, and one more look. */
let aborts = 0;
beforeEach(() => {
  aborts = 0;
  let started = false;
  let looks = 0;
  const document = (status: string) => ({ experimentId: ID, status, outcome: null, timeline: [] });
  const admitted = { admitted: true, experiment: { faults: [] }, facts: { clusters: [], targets: [] } };
  api.answer = ({ method, url }) => {
    if (url.endsWith('dryRun=true')) return { body: admitted };
    if (url.endsWith('/abort')) {
      aborts += 1;
      return { status: 202, body: {} };
    }
    if (method === 'POST') started = true;
    if (!started) return { status: 404, body: {} };
    if (aborts > 0) looks += 1;
    return { body: document(aborts === 0 ? 'RUNNING' : looks > 2 ? 'ABORTED' : 'ROLLING_BACK') };
  };
});

async function onTerminal(...answers: [seen: string, typed: string][]): Promise<{ code: number; output: string }> {
  const argv = [join(import.meta.dirname, 'terminal.py'), JSON.stringify(answers), ...COMMAND];
  return promisify(execFile)('/usr/bin/python3', argv, { env: environment, timeout: 45_000 }).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, output: error.stdout }),
  );
}

describe('a run on a real terminal', () => {
  test('asks at the first Ctrl-C, goes on after a no, and aborts at a yes', async () => {
    const question = 'Abort the experiment?';
    const { code, output } = await onTerminal(
      ...([
        ['RUNNING', CTRL_C],
        [question, 'n'],
        ['goes on.', CTRL_C],
        [question, 'y'],
      ] as [string, string][]),
    );
    expect(output).toContain('Not aborted');
    expect(output).toContain('ABORTED, outcome unknown');
    expect([code, aborts]).toEqual([EXIT.aborted, 1]);
    // Frames are redrawn in place, and lines wrap again afterwards.
    expect(output).toContain(`${ESCAPE}[J`);
    expect(output.lastIndexOf(`${ESCAPE}[?7h`)).toBeGreaterThan(output.lastIndexOf(`${ESCAPE}[?7l`));
  });

  test('aborts at the second Ctrl-C, and leaves at the third', async () => {
    const { code, output } = await onTerminal(
      ...([
        ['RUNNING', CTRL_C],
        ['Abort the experiment?', CTRL_C],
        ['waiting for the rollback', CTRL_C],
      ] as [string, string][]),
    );
    expect(output).toContain('the abort was taken, and the rollback goes on without us');
    expect([code, aborts]).toEqual([EXIT.inconclusive, 1]);
  });
});

test('a run without a terminal is aborted by SIGTERM, and followed to its end', async () => {
  const [program = '', ...argv] = COMMAND;
  const child = spawn(program, [...argv, '--json'], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const stdout = text(child.stdout);
  child.stderr.on('data', (data: Buffer) => {
    if (data.toString().includes('RUNNING')) child.kill('SIGTERM');
  });
  const [code] = await once(child, 'exit');
  expect(JSON.parse(await stdout)).toMatchObject({ experimentId: ID, status: 'ABORTED' });
  expect([code, aborts]).toEqual([EXIT.aborted, 1]);
});
