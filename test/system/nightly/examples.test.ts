import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REDIS_HOSTS } from '../../../lab/fleet/redis/hosts.ts';
import { exampleFiles } from '../../../lib/example-table.ts';
import { partitionOfTheMaster } from '../example-copy.ts';
import { SystemUnderTest } from '../harness.ts';
import { labRun } from '../lab-run.ts';

const EXAMPLES = new URL('../../../examples/', import.meta.url);
/** Those of other engines have a lab, and a tier, of their own. */
const files = exampleFiles(EXAMPLES).filter((name) => name.startsWith('redis-'));
const PATIENCE_MS = 400_000;

/** `| `file.json` | what it does | `STATUS` | `OUTCOME` |`, for those of which the page says what comes of them. */
const promised = new Map(
  [
    ...readFileSync(new URL('README.md', EXAMPLES), 'utf8').matchAll(
      /^\| `(\S+\.json)` .*\| `(\w+)` +\| `(\w+)` +\|$/gm,
    ),
  ].map(([, file = '', status, outcome]) => [file, { status, outcome }]),
);

describe('every example, one after the other', () => {
  let system: SystemUnderTest;
  beforeAll(() => {
    system = new SystemUnderTest();
  });
  afterAll(() => system.close());

  it('is on the page of the examples', () => {
    expect(promised.size).toBeGreaterThan(3);
    for (const file of promised.keys()) expect(exampleFiles(EXAMPLES)).toContain(file);
  });

  it.each(files)(
    '%s ends as its page says, and leaves every host clean',
    async (file) => {
      const path =
        file === 'redis-partition.json' ? partitionOfTheMaster('master') : fileURLToPath(new URL(file, EXAMPLES));
      await system.waitUntilAdmitted(() => JSON.parse(readFileSync(path, 'utf8')));
      const { document, stderr } = await labRun(path);
      expect(['COMPLETED', 'ABORTED'], stderr).toContain(document.status);
      expect(document, stderr).toMatchObject(promised.get(file) ?? {});
      for (const node of document.nodes) expect(node, stderr).toMatchObject({ leftovers: [] });
      for (const { name } of REDIS_HOSTS) {
        expect(await system.ourRules(name), name).toEqual([]);
        expect(await system.programs(name), name).toEqual([]);
      }
    },
    PATIENCE_MS,
  );
});
