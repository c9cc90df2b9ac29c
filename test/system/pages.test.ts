import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleCommand } from '../../bin/bundle-command.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';
import { EXPERIMENTS_PATH, SystemUnderTest } from './harness.ts';

const CHECKOUT = resolve(import.meta.dirname, '../..');
const PAGES = ['README.md', 'examples/README.md', ...readdirSync(join(CHECKOUT, 'docs')).map((name) => `docs/${name}`)];

interface Block {
  /** Of its first line. */
  where: string;
  text: string;
  /** `# exit 2` as its first line; otherwise 0. */
  code: number;
}

/** Fenced blocks whose info string has the word `run`. */
function blocksOf(page: string): Block[] {
  const content = readFileSync(join(CHECKOUT, page), 'utf8');
  return [...content.matchAll(/^```(\w[^\n]*)\n(.*?)^```$/gms)].flatMap(({ 1: info = '', 2: text = '', index }) => {
    if (!info.split(/\s+/).includes('run')) return [];
    const line = content.slice(0, index).split('\n').length + 1;
    return [{ where: `${page}:${line}`, text, code: Number(/^# exit (\d+)/.exec(text)?.[1] ?? 0) }];
  });
}
const blocks = PAGES.filter((page) => page.endsWith('.md')).flatMap(blocksOf);

/** What the pages speak of as having run; main-job.test.ts runs it. */
const RAN = 'examples/redis-partition.json';

describe('what the pages say to run does what they say', () => {
  let system: SystemUnderTest;
  let folder: string;
  beforeAll(async () => {
    system = new SystemUnderTest();
    folder = mkdtempSync(join(tmpdir(), 'holdfast-pages-'));
    cpSync(join(CHECKOUT, 'examples'), join(folder, 'examples'), { recursive: true });
    const command = join(folder, 'bin/holdfast');
    mkdirSync(join(folder, 'bin'));
    const program = await bundleCommand(join(folder, 'bundle'));
    writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
    chmodSync(command, 0o755);
    await system.waitUntilSteady();
    const payload = JSON.parse(readFileSync(join(CHECKOUT, RAN), 'utf8'));
    const known = await system.api.call('GET', `${EXPERIMENTS_PATH}/${payload.experimentId}`);
    if (known.status === 200) return;
    // This file alone.
    await system.post(payload);
    await system.waitUntilOver(payload.experimentId);
  });
  afterAll(() => {
    system.close();
    rmSync(folder, { recursive: true });
  });

  it('finds the blocks', () => expect(blocks.length).toBeGreaterThan(2));

  it.each(blocks)('$where', async ({ text, code }) => {
    const environment = {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      LAB_DIRECTORY: SYSTEM_LAB_DIRECTORY,
    };
    const ran = await promisify(execFile)('sh', ['-e', '-c', text], { cwd: folder, env: environment }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    expect(ran.code, `${ran.stdout}\n${ran.stderr}`).toBe(code);
  });
});
