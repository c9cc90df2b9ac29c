import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '../../../cli/exit-codes.ts';
import { runCommand } from '../../../lab/cli/run.ts';
import { findSupervisor, reservation } from '../../../lab/runtime/lifecycle.ts';
import { LAB_FILES, OWN_FILES, writeJson } from '../../../lab/shared/files.ts';
import { identify } from '../../../lab/shared/processes.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-run-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const run = (file: string): Promise<number> => runCommand(directory, { file, json: true }, () => undefined);

/** This process plays the supervisor of a lab. */
function pretendSupervisor(parentPid?: number): void {
  writeJson(join(directory, OWN_FILES.supervisor), { ...identify(process.pid), ...(parentPid && { parentPid }) });
}

describe('run', () => {
  test('refuses a file that is no valid experiment, by its full path, before any lab is started', async () => {
    const file = join(directory, 'experiment.json');
    await expect(run(file)).rejects.toThrow(UsageError);
    await expect(run(file)).rejects.toThrow(`${file}: ENOENT`);
    for (const [content, problem] of [
      ['{', 'not JSON'],
      ['[]', 'is not an object'],
      ['{"experimentId":""}', 'experimentId'],
      ['{"experimentId":"exp_1", "duration": 3}', 'experiment.json:1:26: duration: is not a known field'],
    ] as const) {
      writeFileSync(file, content);
      const refusal = run(file);
      await expect(refusal).rejects.toThrow(UsageError);
      await expect(refusal).rejects.toThrow(problem);
    }
    expect(existsSync(join(directory, OWN_FILES.log))).toBe(false);
  });

  test('refuses to run in a lab that another process is still starting', async () => {
    pretendSupervisor();
    await expect(run('examples/redis-partition.json')).rejects.toThrow(/still starting/);
  });

  test('refuses to run in a lab without the engine of the experiment, and says how to have one that has it', async () => {
    pretendSupervisor();
    writeJson(join(directory, LAB_FILES.lab), {
      ...{ caFile: '', region: '', prometheusUrl: '', hosts: [], controlSocket: '', pids: {} },
      engines: ['redis'],
    });
    const file = join(directory, 'experiment.json');
    const example = readFileSync('examples/redis-partition.json', 'utf8');
    writeFileSync(file, example.replaceAll('"redis-master"', '"redis-tls"'));
    await expect(run(file)).rejects.toThrow(
      'the lab that is up has no redis-tls: `npm run lab -- down`, then `npm run lab -- up --tls`',
    );
  });

  test('knows that the lab of another run ends with that run', () => {
    pretendSupervisor(4711);
    const reserved = () => {
      const supervisor = findSupervisor(directory);
      return supervisor && reservation(directory, supervisor);
    };
    expect(reserved()).toEqual({ isReady: false, text: expect.stringMatching(/still starting.*process 4711/) });
    writeJson(join(directory, LAB_FILES.lab), {});
    expect(reserved()).toEqual({ isReady: true, text: expect.stringMatching(/ends with it/) });
    pretendSupervisor();
    expect(reserved()).toBeUndefined();
  });
});
