import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { composeProgram } from '../../lib/compose-program.ts';

let directory: string;
let host: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'compose-'));
  host = `${directory}/host/`;
  for (const folder of ['faults', 'fences']) mkdirSync(`${host}${folder}`, { recursive: true });
  writeFileSync(`${host}run-command.sh`, 'set -eu\nmkdir faults fences\n#@FILES@\necho written\n');
  writeFileSync(`${host}watchdog.py`, 'print("$HOME `id` \\\\n")\n\n{{packed}} no newline at the end');
  writeFileSync(`${host}faults/pause.sh`, 'echo \'quoted\' "$1"\n');
  writeFileSync(`${host}faults/kill.sh`, 'echo kill\n');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('composeProgram', () => {
  it('writes every file on the host as it stands in the repository', () => {
    const target = mkdtempSync(`${directory}/target-`);
    const script = composeProgram(host, ['pause']).join('\n');
    expect(execFileSync('bash', ['-c', script], { cwd: target, encoding: 'utf8' })).toBe('written\n');
    const watchdog = readFileSync(`${host}watchdog.py`, 'utf8');
    expect(readFileSync(`${target}/watchdog.py`, 'utf8')).toBe(watchdog);
    expect(readFileSync(`${target}/faults/pause.sh`, 'utf8')).toBe('echo \'quoted\' "$1"\n');
    expect(script).not.toContain('echo kill');
  });

  it('refuses a file that SSM would interpolate or that ends its own heredoc', () => {
    writeFileSync(`${host}faults/kill.sh`, 'echo {{ experimentId }}\n');
    expect(() => composeProgram(host, ['kill'])).toThrow('faults/kill.sh contains "{{"');
    writeFileSync(`${host}faults/kill.sh`, 'HOLDFAST_END_OF_FILE\nrm -rf /\n');
    expect(() => composeProgram(host, ['kill'])).toThrow('heredoc delimiter');
  });

  it('refuses a run-command.sh without its placeholder, which would run no program', () => {
    writeFileSync(`${host}run-command.sh`, 'echo nothing\n');
    expect(() => composeProgram(host, [])).toThrow('#@FILES@');
  });
});
