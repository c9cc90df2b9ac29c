import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect } from 'vitest';

const LIST = new URL('../../lab/commands.txt', import.meta.url);
/** Everything that can be called by its name, npm's commands excepted. */
const FIND = `IFS=:
for directory in $PATH; do case $directory in */node_modules/.bin) ;; *) ls "$directory" 2>/dev/null ;; esac; done`;

function declaredCommands(where: string[]): Set<string> {
  const rows = readFileSync(LIST, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const fields = rows.map((row) => row.split(/\s+/));
  const here = fields.filter(([places = '']) => places.split(',').some((place) => where.includes(place)));
  return new Set(here.flatMap(([, , ...commands]) => commands).map((command) => basename(command)));
}

/**
 * A command that lab/commands.txt does not declare is on no other machine either: it must not be found here.
 * @param sh runs a shell script where the tests and the host program run theirs; its stdout.
 */
export async function expectDeclaredOnly(sh: (script: string) => Promise<string>, where: string[]): Promise<void> {
  const declared = declaredCommands(where);
  const found = (await sh(FIND)).split('\n').filter(Boolean);
  expect(found).toEqual(expect.arrayContaining(['bash', 'cat', 'sed']));
  expect(found.filter((command) => !declared.has(command))).toEqual([]);
}

export const ON_THIS_MACHINE = ['lab', 'test', 'uml'];
