import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REDIS_HOSTS } from '../../../lab/fleet/redis/hosts.ts';
import { MAX_LAG_SECONDS } from '../../../lab/fleet/redis/min-replicas.ts';
import { checkIn, expectEnd, failedIn, lossSpanIn, lostIn, PATIENCE_MS } from '../engine-examples.ts';
import { SystemUnderTest } from '../harness.ts';
import { COUNTING_SECONDS, UNSAFE_EXAMPLE, UNSAFE_SECONDS, WRITES_PER_SECOND } from '../split-brain.ts';

describe('two masters at once, and a client that still reaches the old one', () => {
  let system: SystemUnderTest;
  beforeAll(() => {
    system = new SystemUnderTest();
  });
  afterAll(() => system.close());

  it(
    'cost no acknowledged write where the client waits for a replica',
    async () => {
      const end = { outcome: 'CONFIRMED', losesNothing: true };
      const document = await expectEnd(system, REDIS_HOSTS, 'redis-split-brain.json', end);
      expect(checkIn(document, 'two nodes say they are master')).toMatchObject({ result: 'HELD', measured: 2 });
      expect(lostIn(document)).toBe(0);
    },
    PATIENCE_MS,
  );

  it(
    'cost a client that waits for none no more than min-replicas-max-lag: then the old one refuses its writes',
    async () => {
      const end = { outcome: 'DEVIATED', losesNothing: false, findings: ['split brain'] };
      const document = await expectEnd(system, REDIS_HOSTS, UNSAFE_EXAMPLE, end);
      expect(lossSpanIn(document)).toBeGreaterThan(MAX_LAG_SECONDS - COUNTING_SECONDS);
      expect(lossSpanIn(document)).toBeLessThan(MAX_LAG_SECONDS + COUNTING_SECONDS);
      const refusedSeconds = UNSAFE_SECONDS - MAX_LAG_SECONDS - COUNTING_SECONDS;
      expect(failedIn(document)).toBeGreaterThan(0.9 * refusedSeconds * WRITES_PER_SECOND);
    },
    PATIENCE_MS,
  );
});
