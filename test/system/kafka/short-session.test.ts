import { afterAll, beforeAll, expect, it } from 'vitest';
import { KAFKA_HOSTS } from '../../../lab/fleet/kafka/hosts.ts';
import { expectEnd, PATIENCE_MS } from '../engine-examples.ts';
import { SystemUnderTest } from '../harness.ts';
import { startSystemLab } from '../set-up.ts';
import { REBALANCE } from './rebalance.ts';

/** Of Kafka's default, 9 s: before it has passed nobody else may lead. */
const DEFAULT_SESSION_SECONDS = 9;
const SESSION_MS = 2000;

/** After the other files: it has a lab of its own, in the place of theirs. */
let stop: () => Promise<void>;
let system: SystemUnderTest;
beforeAll(async () => {
  process.env.LAB_KAFKA_SESSION_MS = String(SESSION_MS);
  stop = await startSystemLab(['kafka']);
  system = new SystemUnderTest();
});
afterAll(() => {
  delete process.env.LAB_KAFKA_SESSION_MS;
  system.close();
  return stop();
});

it(
  'with a session of 2 s a client waits for less than the default session of an unreachable leader, and loses nothing',
  async () => {
    const expected = { outcome: 'CONFIRMED', ...REBALANCE, losesNothing: true };
    const document = await expectEnd(system, KAFKA_HOSTS, 'kafka-broker-unreachable-leader.json', expected);
    const budget = (name: string) => document.budgets.find((each) => each.name === name)?.measured;
    expect(budget('rtoSeconds')).toBeGreaterThan(SESSION_MS / 1000 / 2);
    expect(budget('rtoSeconds')).toBeLessThan(DEFAULT_SESSION_SECONDS);
    expect(budget('lostAcknowledgedWrites')).toBe(0);
  },
  PATIENCE_MS,
);
