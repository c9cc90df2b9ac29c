import { afterAll, beforeAll, expect, it } from 'vitest';
import { labRun } from '../lab-run.ts';
import { startSystemLab } from '../set-up.ts';

/** Of Kafka's default, 9 s: before it has passed nobody else may lead. */
const DEFAULT_SESSION_SECONDS = 9;
const SESSION_MS = 2000;

/** After the other files: it has a lab of its own, in the place of theirs. */
let stop: () => Promise<void>;
beforeAll(async () => {
  process.env.LAB_KAFKA_SESSION_MS = String(SESSION_MS);
  stop = await startSystemLab(['kafka']);
});
afterAll(() => {
  delete process.env.LAB_KAFKA_SESSION_MS;
  return stop();
});

it('with a session of 2 s a client waits for less than the default session of an unreachable leader, and loses nothing', async () => {
  const { document, stderr } = await labRun('examples/kafka-broker-unreachable-leader.json');
  expect(document, stderr).toMatchObject({ status: 'COMPLETED', outcome: 'CONFIRMED' });
  const budget = (name: string) => document.budgets.find((each) => each.name === name)?.measured;
  expect(budget('rtoSeconds')).toBeGreaterThan(SESSION_MS / 1000 / 2);
  expect(budget('rtoSeconds')).toBeLessThan(DEFAULT_SESSION_SECONDS);
  expect(budget('lostAcknowledgedWrites')).toBe(0);
});
