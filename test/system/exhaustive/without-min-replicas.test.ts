import { afterAll, beforeAll, expect, it } from 'vitest';
import { REDIS_HOSTS } from '../../../lab/fleet/redis/hosts.ts';
import { MIN_REPLICAS_VARIABLE } from '../../../lab/fleet/redis/min-replicas.ts';
import { expectEnd, lossSpanIn, lostIn, PATIENCE_MS } from '../engine-examples.ts';
import { SystemUnderTest } from '../harness.ts';
import { startSystemLab } from '../set-up.ts';
import { COUNTING_SECONDS, UNSAFE_EXAMPLE, UNSAFE_SECONDS, WRITES_PER_SECOND } from '../split-brain.ts';

/** After the other files: it has a lab of its own, in the place of theirs. */
let stop: () => Promise<void>;
let system: SystemUnderTest;
beforeAll(async () => {
  process.env[MIN_REPLICAS_VARIABLE] = '0';
  stop = await startSystemLab(['redis']);
  system = new SystemUnderTest();
});
afterAll(() => {
  delete process.env[MIN_REPLICAS_VARIABLE];
  system.close();
  return stop();
});

it(
  'a split brain costs all that the old master acknowledges where it needs no replica, in writes and in seconds',
  async () => {
    const end = { outcome: 'DEVIATED', losesNothing: false, findings: ['split brain'] };
    const document = await expectEnd(system, REDIS_HOSTS, UNSAFE_EXAMPLE, end);
    expect(lossSpanIn(document)).toBeGreaterThan(UNSAFE_SECONDS - COUNTING_SECONDS);
    expect(lossSpanIn(document)).toBeLessThan(UNSAFE_SECONDS + COUNTING_SECONDS);
    expect(lostIn(document)).toBeGreaterThan(0.9 * UNSAFE_SECONDS * WRITES_PER_SECOND);
    expect(document.findings).toMatchObject([{ failureMode: 'split brain', value: lostIn(document) }]);
  },
  PATIENCE_MS,
);
