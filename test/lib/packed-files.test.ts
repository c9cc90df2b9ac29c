import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packed } from '../../lib/packed-files.ts';

/** Any ASCII but NUL, in archives of every length. */
const text = fc.string({ unit: 'grapheme-ascii', maxLength: 40 }).map((content) => `${content}\n\t`);
const files = fc.record({ 'top.py': text, 'folder/one.py': text, 'folder/two.py': text });
const archives = fc.array(fc.tuple(files, fc.record({ 'other.py': text })), { minLength: 10, maxLength: 10 });

it('packs files so that a host writes them as they were', () => {
  const directory = mkdtempSync(join(tmpdir(), 'packed-'));
  try {
    const [samples = []] = fc.sample(archives, 1);
    const lines = samples.flatMap(([first, others], at) => [
      `mkdir ${at}; cd ${at}`,
      ...packed(Object.entries(first), Object.entries(others)),
      'cd ..',
    ]);
    execFileSync('bash', ['-euc', lines.join('\n')], { cwd: directory });
    for (const [at, [first, others]] of samples.entries()) {
      for (const [path, content] of Object.entries({ ...first, ...others })) {
        expect(readFileSync(join(directory, `${at}`, path), 'utf8')).toBe(content);
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it('packs what comes after the same files without a change of the lines before', () => {
  const first = ['a', 'b'].map((name) => [`${name}.py`, noise()] as const);
  const [one, other] = ['c', 'd'].map((name) => packed(first, [[`${name}.py`, noise().slice(0, 5000)]])) as [
    string[],
    string[],
  ];
  const different = one.findIndex((line, at) => line !== other[at]);
  expect(different).toBeGreaterThan(0.9 * (one.length - 5));
  expect(one.length - different).toBeGreaterThan(2);
});

it('packs nothing that SSM would interpolate or JSON would escape, in lines that a mapping takes', () => {
  const lines = packed([['some.py', noise()]], []);
  const archive = lines.slice(lines.findIndex((line) => line.includes('<<')) + 1);
  expect(archive.length).toBeGreaterThan(10);
  for (const line of archive) expect(line).toMatch(/^[!-~]{1,1000}$/);
  for (const line of archive) expect(line).not.toMatch(/[{"\\]/);
});

it('refuses what is not ASCII, whose numbers stand for words', () => {
  expect(() => packed([], [['faults/one.py', 'x = "ü"']])).toThrow('faults/one.py: only ASCII');
});

function noise(): string {
  return fc.sample(fc.string({ minLength: 500, maxLength: 500 }), 50).join('');
}
