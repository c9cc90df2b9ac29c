import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Environment } from '../../../../lab/aws/services/lambda-environment.ts';
import { NICENESS } from '../../../../lab/shared/niceness.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-function-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const isPossible = process.platform === 'linux' && process.getuid?.() === 0;
if (!isPossible) process.stderr.write('priorities of functions: not tested: they need Linux and root\n');

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
      await environment.ready;
      const threads = readdirSync(`/proc/${pid}/task`).map(Number);
      expect(threads.length).toBeGreaterThan(1);
      expect(new Set(threads.map((thread) => getPriority(thread)))).toEqual(new Set([NICENESS.serving]));
      expect(await environment.invoke({}, 'arn:of-it', 5_000)).toMatchObject({ payload: '"done"' });
    } finally {
      environment.kill();
    }
  },
);
