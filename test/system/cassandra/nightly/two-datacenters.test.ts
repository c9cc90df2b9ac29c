import { afterAll, beforeAll, expect, it } from 'vitest';
import { DATACENTERS_RING } from '../../../../lab/fleet/cassandra/hosts.ts';
import { checkIn, expectEnd, PATIENCE_MS } from '../../engine-examples.ts';
import { SystemUnderTest } from '../../harness.ts';
import { startSystemLab } from '../../set-up.ts';

/** Of each packet from the other datacenter, milliseconds. */
const LATENCY_MS = 500;

/** After the other files: it has a lab of its own, in the place of theirs. */
let stop: () => Promise<void>;
let system: SystemUnderTest;
beforeAll(async () => {
  stop = await startSystemLab(['cassandra-datacenters']);
  system = new SystemUnderTest();
});
afterAll(() => {
  system.close();
  return stop();
});

it(
  'half a second between datacenters is waited for by EACH_QUORUM and not by LOCAL_QUORUM, and nobody is given up',
  async () => {
    const expected = { outcome: 'CONFIRMED', losesNothing: true };
    const document = await expectEnd(system, DATACENTERS_RING.hosts, 'cassandra-datacenter-latency.json', expected);
    expect(checkIn(document, 'LOCAL_QUORUM does not wait for the other datacenter').measured).toBeLessThan(
      LATENCY_MS / 2,
    );
    expect(checkIn(document, 'EACH_QUORUM waits for the other datacenter').measured).toBeGreaterThan(LATENCY_MS * 0.95);
  },
  PATIENCE_MS,
);
