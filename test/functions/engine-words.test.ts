import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const ENGINE_WORDS = /redis|sentinel|kafka|cassandra|\bmaster|\breplicas?\b/i;

function filesNamingAnEngine(folder: string): string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
  expect(files.length).toBeGreaterThan(5);
  return files.filter((file) => ENGINE_WORDS.test(readFileSync(join(ROOT, file), 'utf8')));
}

test('no Lambda and no part of the stack names an engine, but the folder of that engine and the three lists', () => {
  const naming = [...filesNamingAnEngine('functions'), ...filesNamingAnEngine('lib')];
  const outside = naming.filter((file) => !/^functions\/engines\/[^/]+\//.test(file));
  expect(outside.sort()).toEqual(
    ['clients', 'configuration', 'registry'].map((list) => `functions/engines/${list}.ts`),
  );
});
