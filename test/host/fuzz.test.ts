import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KIND_CASES } from './kinds/index.ts';
import { FOREIGN_RULES } from './wire.ts';
import { inWorld, type World } from './world.ts';

const CANARY = '/run/holdfast-canary';
const CAP_SYS_TIME = 25n;
const NASTY = [
  `$(touch ${CANARY})`,
  `\`touch ${CANARY}\``,
  `;touch ${CANARY};`,
  `a[$(touch ${CANARY})]`,
  `1;touch ${CANARY}`,
  `1\ntouch ${CANARY}`,
  `x';touch ${CANARY};'`,
  `x";touch ${CANARY};"`,
  `-j ACCEPT\nCOMMIT\n`,
  '*',
  '-1',
];
/** What the program itself puts there, never a sender. */
const OF_THE_PROGRAM = new Set(['PATH', 'LC_ALL', 'HOLDFAST_OWNER', 'HOLDFAST_LIFE_FD']);

describe.concurrent('no command runs that is not ours', () => {
  for (const kind of KIND_CASES) {
    it(`whatever the parameters of ${kind.kind} are: what is not allowed is refused by name, before any command`, () =>
      inWorld(kind.kind, async (host) => {
        copyFileSync(new URL('fuzz.py', import.meta.url).pathname, join(host.directory, 'fuzz.py'));
        const parameters = host.faultParameters(kind.parameters);
        const run = await host.exec(
          ['/usr/bin/python3', '-B', '/run/files/fuzz.py', '/run/files/program'],
          host.environment(parameters),
        );
        const result = JSON.parse(run.out.split('\n').at(-1) ?? '') as { tried: number; problems: string[] };
        expect(result.problems).toEqual([]);
        expect(result.tried).toBeGreaterThan(50 * Object.keys(parameters).length);
        expect(await host.filter()).toEqual(FOREIGN_RULES);
      }));

    it(`when ${kind.kind}.sh is given values that no check has seen`, () =>
      inWorld(kind.kind, async (host) => {
        await expectNoClock(host);
        const script = `/run/files/program/faults/${kind.kind}.sh`;
        const names = variablesOf(host.directory);
        expect(names.length).toBeGreaterThan(3);
        for (const text of NASTY) {
          // With the mark of nobody: what it may start would be found by it.
          const environment = Object.fromEntries(names.map((name) => [name, text]));
          for (const verb of ['status', 'revert', 'apply', 'revert']) {
            await host.exec(['timeout', '5', 'bash', script, verb], environment);
          }
        }
        expect((await host.exec(['test', '-e', CANARY])).code).not.toBe(0);
        expect((await host.exec(['bash', '-c', 'ls -A /run/files/program/faults /'])).out).not.toContain('canary');
        expect(await host.filter()).toEqual(FOREIGN_RULES);
      }));
  }
});

/** To a script a time is a value like any other: nothing in a namespace may be able to set this machine's clock. */
async function expectNoClock(host: World): Promise<void> {
  const status = (await host.exec(['cat', '/proc/self/status'])).out;
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? 'f'.repeat(16)}`);
  expect((bounding >> CAP_SYS_TIME) & 1n).toBe(0n);
}

/** Every variable that a script of the program reads. */
function variablesOf(directory: string): string[] {
  const scripts = ['.', 'faults'].flatMap((folder) =>
    readdirSync(join(directory, 'program', folder))
      .filter((name) => name.endsWith('.sh'))
      .map((name) => readFileSync(join(directory, 'program', folder, name), 'utf8')),
  );
  const found = scripts.flatMap((text) => text.match(/\bHOLDFAST_[A-Z_]+/g) ?? []);
  return [...new Set(found)].filter((name) => !OF_THE_PROGRAM.has(name)).sort();
}
