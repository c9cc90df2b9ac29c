import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KindCase } from './kind-case.ts';
import { FOREIGN_RULES } from './wire.ts';
import { inWorld, type World } from './world.ts';

const CAP_SYS_TIME = 25n;
/** Some thousand runs of a verb. */
const PATIENCE_MS = 300_000;

/** Every parameter of a kind with texts that a shell, an arithmetic or a parser might take for something else. */
export function fuzzParameters(kinds: readonly KindCase[]): void {
  describe.concurrent('no command runs that is not ours', { timeout: PATIENCE_MS }, () => {
    for (const kind of kinds)
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
  });
}

/** The verbs of a kind with such texts in the place of values that have been checked. */
export function fuzzVerbs(kinds: readonly KindCase[]): void {
  describe.concurrent('no command runs that is not ours', { timeout: PATIENCE_MS }, () => {
    for (const kind of kinds)
      it(`when the verbs of ${kind.kind} are given values that no check has seen`, () =>
        inWorld(
          kind.kind,
          async (host) => {
            await expectNoClock(host);
            copyFileSync(new URL('fuzz_verbs.py', import.meta.url).pathname, join(host.directory, 'fuzz_verbs.py'));
            await kind.prepare?.(host);
            const run = await host.exec(
              ['/usr/bin/python3', '-B', '/run/files/fuzz_verbs.py', '/run/files/program'],
              host.environment(host.faultParameters(kind.parameters)),
            );
            const result = JSON.parse(run.out.split('\n').at(-1) ?? '') as {
              runs: number;
              names: number;
              problems: string[];
            };
            expect(result.problems).toEqual([]);
            expect(result.runs).toBeGreaterThan(40 * result.names);
            expect(await host.filter()).toEqual(FOREIGN_RULES);
          },
          kind.ownStore === undefined,
        ));
  });
}

/** To a verb a time is a value like any other: nothing in a namespace may be able to set this machine's clock. */
async function expectNoClock(host: World): Promise<void> {
  const status = (await host.exec(['cat', '/proc/self/status'])).out;
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? 'f'.repeat(16)}`);
  expect((bounding >> CAP_SYS_TIME) & 1n).toBe(0n);
}
