import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ORDERS_RING } from '../../../../lab/fleet/cassandra/hosts.ts';
import { checkIn, expectEnd, PATIENCE_MS } from '../../engine-examples.ts';
import { SystemUnderTest } from '../../harness.ts';
import { startSystemLab } from '../../set-up.ts';

const GC_PAUSE = 'cassandra-gc-pause.json';
const CONVICTED = 'nobody gives the node up';
const START_MS = 180_000;
const directory = mkdtempSync(join(tmpdir(), 'holdfast-phi-'));
let system: SystemUnderTest;
let stop: (() => Promise<void>) | undefined;
beforeAll(() => {
  system = new SystemUnderTest();
});
afterAll(async () => {
  delete process.env.LAB_CASSANDRA_PHI;
  rmSync(directory, { recursive: true, force: true });
  system.close();
  await stop?.();
});

/** After the examples: the second lab takes the place of theirs. */
it(
  'a pause between the conviction times of two settings is one eviction with the first and none with the second, and both stand side by side',
  async () => {
    const [evicted, tolerated] = ['8', '12'].map((phi) => join(directory, `${phi}.json`));
    const expected = { losesNothing: true };
    const first = await expectEnd(system, ORDERS_RING.hosts, GC_PAUSE, { ...expected, outcome: 'DEVIATED' });
    expect(checkIn(first, CONVICTED)).toMatchObject({ result: 'FAILED', measured: 1 });
    writeFileSync(evicted ?? '', JSON.stringify(first));

    system.close();
    process.env.LAB_CASSANDRA_PHI = '12';
    stop = await startSystemLab(['cassandra']);
    system = new SystemUnderTest();
    const second = await expectEnd(system, ORDERS_RING.hosts, GC_PAUSE, { ...expected, outcome: 'CONFIRMED' });
    expect(checkIn(second, CONVICTED)).toMatchObject({ result: 'HELD', measured: 0 });
    writeFileSync(tolerated ?? '', JSON.stringify(second));

    const command = ['bin/holdfast.ts', 'compare', evicted ?? '', tolerated ?? ''];
    const shown = execFileSync(process.execPath, command, { encoding: 'utf8' });
    expect(shown).toMatch(new RegExp(`^${CONVICTED} +FAILED +HELD$`, 'm'));
  },
  PATIENCE_MS + START_MS,
);
