import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import pyright from '../../pyrightconfig.json' with { type: 'json' };

const CHECKOUT = resolve(import.meta.dirname, '../..');
const PYRIGHT = join(CHECKOUT, 'node_modules/.bin/pyright');
const LINT = join(CHECKOUT, 'test/lint-python.ts');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'python-checks-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function put(path: string, ...lines: string[]): void {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
}

function run(program: string, ...words: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    cwd: directory,
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

it('what is checked is all the Python there is', () => {
  const folders = readdirSync(CHECKOUT).filter((name) => !/^\.|^node_modules$|^cdk\.out$/.test(name));
  const withPython = folders.filter((folder) => globSync(`${folder}/**/*.py`, { cwd: CHECKOUT }).length > 0);
  expect(withPython).toEqual(pyright.include);
});

describe('Pyright', () => {
  beforeEach(() => {
    cpSync(join(CHECKOUT, 'pyrightconfig.json'), join(directory, 'pyrightconfig.json'));
    const environment = join(pyright.venvPath, pyright.venv);
    cpSync(join(CHECKOUT, environment), join(directory, environment), { recursive: true });
  });

  it('asks for every type in every folder', () => {
    for (const folder of pyright.include) put(`${folder}/part/wrong.py`, 'def double(value):', '    return value * 2');
    const { status, said } = run(PYRIGHT);
    for (const folder of pyright.include)
      expect(said).toContain(`${folder}/part/wrong.py:1:12 - error: Type annotation is missing for parameter "value"`);
    expect(status).toBe(1);
  });

  it('refuses what a host need not have: a newer Python, and packages, even those of this machine', () => {
    put('host/wrong.py', 'import tomllib', 'import pip', '', 'print(tomllib, pip)');
    const { status, said } = run(PYRIGHT);
    expect(said).toContain('wrong.py:1:8 - error: Import "tomllib" could not be resolved');
    expect(said).toContain('wrong.py:2:8 - error: Import "pip" could not be resolved');
    expect(status).toBe(1);
  });

  it('takes the modules of the host program by the names that it has on a host', () => {
    put('host/lease.py', 'SECONDS: int = 3');
    put('host/kinds/fault.py', 'from lease import SECONDS', '', 'TWICE: int = 2 * SECONDS');
    put('test/host/fuzz.py', 'from kinds.fault import TWICE', '', 'print(TWICE)');
    expect(run(PYRIGHT)).toMatchObject({ status: 0, said: expect.stringMatching(/^0 errors,/) });
  });
});

describe('ruff', () => {
  const WRONG = [
    'import sys',
    'import os',
    'def halve( value: int ) -> float:',
    '    return value / 2',
    'os.system(sys.argv[1])',
  ];

  it('prints each finding with its place, its rule and what it says', () => {
    put('part/wrong.py', ...WRONG);
    const { status, said } = run(LINT, '.');
    expect(said).toContain('part/wrong.py:5:1: S605 Starting a process with a shell');
    expect(said).toContain('part/wrong.py:1:1: I001 ');
    expect(said).toContain('part/wrong.py:3:1: format ');
    expect(said).toContain(': 1 Python files, 3 findings');
    expect(status).toBe(1);
  });

  it('says where a file is no Python', () => {
    put('wrong.py', 'def halve(:');
    expect(run(LINT, '.')).toMatchObject({
      status: 1,
      said: expect.stringContaining('wrong.py:1:11: invalid-syntax '),
    });
  });

  it('formats and sorts imports with --write, and changes nothing else', () => {
    put('wrong.py', ...WRONG);
    expect(run(LINT, '--write', 'wrong.py').said).toContain(': 1 Python files, 1 findings');
    expect(readFileSync(join(directory, 'wrong.py'), 'utf8').split('\n')).toEqual([
      ...['import os', 'import sys', '', '', 'def halve(value: int) -> float:', '    return value / 2', '', ''],
      ...['os.system(sys.argv[1])', ''],
    ]);
  });

  it('takes no file at all for a failure', () => {
    put('README.md', 'Nothing here.');
    expect(run(LINT, '.').status).toBe(1);
  });

  it('passes what is right', () => {
    put('right.py', 'def halve(value: int) -> float:', '    return value / 2');
    expect(run(LINT, '.').status).toBe(0);
  });
});
