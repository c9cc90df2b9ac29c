import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Environment } from '../../../../lab/aws/services/lambda-environment.ts';
import { NICENESS } from '../../../../lab/shared/niceness.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-function-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const isPossible = process.platform === 'linux' && process.getuid?.() === 0;
if (!isPossible) process.stderr.write('priorities of functions: not tested: they need Linux and root\n');

const hasAutogroups = existsSync('/proc/self/autogroup');
if (!hasAutogroups) process.stderr.write('sessions of functions: not tested: this kernel has no autogroups\n');

/** How the kernel weighs its session against others. */
function sessionOf(pid: number): number | undefined {
  if (!hasAutogroups) return undefined;
  return Number(readFileSync(`/proc/${pid}/autogroup`, 'utf8').trim().split(' ').at(-1));
}

test.skipIf(!isPossible)(
  'a function that starts yields to the system under test, and one that has started waits for no store',
  async () => {
    writeFileSync(join(directory, 'index.mjs'), 'export const handler = async () => "done";\n');
    const variables = { _HANDLER: 'index.handler', LAMBDA_TASK_ROOT: directory };
    const logFile = join(directory, 'log');
    const environment = new Environment({ codeDirectory: directory, variables, logFile, enter: [] });
    try {
      const { pid } = environment;
      if (pid === undefined) throw new Error('it was not started');
      expect(getPriority(pid)).toBe(NICENESS.yielding);
      expect(sessionOf(pid)).toEqual(hasAutogroups ? NICENESS.yielding : undefined);
      await environment.ready;
      const threads = readdirSync(`/proc/${pid}/task`).map(Number);
      expect(threads.length).toBeGreaterThan(1);
      expect(new Set(threads.map((thread) => getPriority(thread)))).toEqual(new Set([NICENESS.serving]));
      expect(sessionOf(pid)).toEqual(hasAutogroups ? NICENESS.serving : undefined);
      expect(sessionOf(process.pid)).not.toBe(NICENESS.serving);
      expect(await environment.invoke({}, 'arn:of-it', 5_000)).toMatchObject({ payload: '"done"' });
    } finally {
      environment.kill();
    }
  },
);
