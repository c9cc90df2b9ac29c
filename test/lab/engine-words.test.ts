import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const LAB = join(import.meta.dirname, '../../lab');
const ENGINE_WORDS = /redis|sentinel|master|replica|kafka|cassandra|gossip|keyspace/i;
/** Rows of the table in lab/README.md: the file, then the reason. */
const EXCUSED = [...readFileSync(join(LAB, 'README.md'), 'utf8').matchAll(/^\| `([^`/]+|[^`]+\.\w+)` \| [^|]+ \|$/gm)];

test('no file of the lab outside its fleet names an engine, but those that lab/README.md excuses', () => {
  const files = readdirSync(LAB, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(LAB.length + 1));
  expect(files.length).toBeGreaterThan(50);
  const naming = files.filter((file) => ENGINE_WORDS.test(readFileSync(join(LAB, file), 'utf8')));
  expect(naming.filter((file) => !file.startsWith('fleet/')).sort()).toEqual(EXCUSED.map(([, file]) => file).sort());
});

test('in the fleet, only the registry and the folder of an engine name it', () => {
  const files = readdirSync(join(LAB, 'fleet'), { withFileTypes: true }).filter((entry) => entry.isFile());
  const naming = files.filter(({ name }) => ENGINE_WORDS.test(readFileSync(join(LAB, 'fleet', name), 'utf8')));
  expect(naming.map(({ name }) => name)).toEqual(['fleet.ts']);
});
