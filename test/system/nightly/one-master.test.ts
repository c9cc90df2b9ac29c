import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REDIS_HOSTS } from '../../../lab/fleet/redis/hosts.ts';
import { expectEnd, PATIENCE_MS, rtoIn } from '../engine-examples.ts';
import { exampleCopy, partitionOfTheMaster } from '../example-copy.ts';
import { SystemUnderTest } from '../harness.ts';
import type { RunDocument } from '../lab-run.ts';

/** Of the ids: the examples themselves run in the same lab before. */
const SUFFIX = 'one_master';
const directory = mkdtempSync(join(tmpdir(), 'holdfast-one-master-'));
let system: SystemUnderTest;
beforeAll(() => {
  system = new SystemUnderTest();
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  system.close();
});

async function replaced(path: string): Promise<RunDocument> {
  const document = await expectEnd(system, REDIS_HOSTS, pathToFileURL(path).href, {
    outcome: 'CONFIRMED',
    losesNothing: true,
  });
  // Sentinels wait for 2 s before they begin.
  expect(rtoIn(document), path).toBeGreaterThan(1);
  expect(rtoIn(document), path).toBeLessThan(15);
  return document;
}

it(
  'a master that is killed, one that is paused and one that nobody reaches are each replaced within 15 s, and their times stand side by side',
  async () => {
    const files: string[] = [];
    for (const [name, example] of Object.entries({
      killed: exampleCopy('redis-master-killed.json', SUFFIX),
      paused: exampleCopy('redis-master-paused.json', SUFFIX),
      'cut-off': partitionOfTheMaster(SUFFIX),
    })) {
      const file = join(directory, `${name}-run.json`);
      writeFileSync(file, JSON.stringify(await replaced(example)));
      files.push(file);
    }
    const [killed = '', paused = '', unreachable = ''] = files;
    for (const other of [paused, unreachable]) {
      const command = ['bin/holdfast.ts', 'compare', killed, other];
      const shown = execFileSync(process.execPath, command, { encoding: 'utf8' });
      process.stderr.write(`${/^rtoSeconds.*$/m.exec(shown)?.[0]}\n`);
      expect(shown).toMatch(/^rtoSeconds +s( +[\d.]+){2}/m);
    }
  },
  3 * PATIENCE_MS,
);

it(
  'a network that comes and goes costs one failover, and no acknowledged write',
  async () => {
    const file = pathToFileURL(exampleCopy('redis-network-flap.json', SUFFIX)).href;
    const document = await expectEnd(system, REDIS_HOSTS, file, {
      outcome: 'CONFIRMED',
      losesNothing: true,
    });
    expect(document.checks.find(({ name }) => name === 'there is one failover only')).toMatchObject({ measured: 1 });
  },
  PATIENCE_MS,
);
