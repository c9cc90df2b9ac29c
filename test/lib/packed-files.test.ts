import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packed } from '../../lib/packed-files.ts';

/** Any text but NUL, in archives of every length. */
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((content) => content.replaceAll('\0', ''));
const archives = fc.array(fc.record({ 'top.py': text, 'folder/one.py': text, 'folder/two.py': text }), {
  minLength: 20,
  maxLength: 20,
});

it('packs files so that a host writes them as they were', () => {
  const directory = mkdtempSync(join(tmpdir(), 'packed-'));
  try {
    const [samples = []] = fc.sample(archives, 1);
    const lines = samples.flatMap((files, at) => [`mkdir ${at}; cd ${at}`, ...packed(Object.entries(files)), 'cd ..']);
    execFileSync('bash', ['-euc', lines.join('\n')], { cwd: directory });
    for (const [at, files] of samples.entries()) {
      for (const [path, content] of Object.entries(files)) {
        expect(readFileSync(join(directory, `${at}`, path), 'utf8')).toBe(content);
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it('packs nothing that SSM would interpolate or JSON would escape', () => {
  const content = fc.sample(fc.string({ minLength: 500, maxLength: 500 }), 50).join('');
  const digits = packed([['some.py', content]]).slice(1);
  const archive = digits.slice(digits.findIndex((line) => line.includes('<<')) + 1);
  expect(archive.length).toBeGreaterThan(10);
  for (const line of archive) expect(line).not.toMatch(/[{"\\\s]/);
});
