import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const BYTES = 1 << 22;
const MODULE = pathToFileURL('lab/cli/exit-when-written.ts').href;
const PROGRAM = `import { exitWhenWritten } from ${JSON.stringify(MODULE)};
process.stdout.write('x'.repeat(${BYTES}));
exitWhenWritten(3);`;

test('a document that is longer than a pipe holds is whole for a reader that is slow, and the exit code is ours', async () => {
  const ended = new Promise<{ code: unknown; length: number }>((resolve) => {
    const argv = ['--input-type=module', '-e', PROGRAM];
    const child = execFile(process.execPath, argv, { maxBuffer: 2 * BYTES }, (error, stdout) =>
      resolve({ code: error?.code, length: stdout.length }),
    );
    child.stdout?.pause();
    void delay(500).then(() => child.stdout?.resume());
  });
  expect(await ended).toEqual({ code: 3, length: BYTES });
});
