import { afterAll, beforeAll, expect, it } from 'vitest';
import { KAFKA_HOSTS } from '../../../../lab/fleet/kafka/hosts.ts';
import { checkIn, expectEnd, failedIn, PATIENCE_MS, rtoIn, run } from '../../engine-examples.ts';
import { exampleCopy } from '../../example-copy.ts';
import { EXPERIMENTS_PATH, SystemUnderTest } from '../../harness.ts';
import type { RunDocument } from '../../lab-run.ts';

const EXAMPLE = 'kafka-quorum-lost.json';
const FAULT_SECONDS = 30;
/** By which the guard's readings name what the brokers themselves said. */
const ASKED = 'storeRedundancy';

let system: SystemUnderTest;
beforeAll(() => {
  system = new SystemUnderTest();
});
afterAll(() => system.close());

const toleratedIn = ({ timeline }: RunDocument) => {
  const admitted = timeline.find(({ type }) => type === 'ADMITTED');
  if (!admitted) throw new Error('nothing was admitted');
  const { facts } = admitted.details as { facts: { clusters: { toleratedLoss?: string }[] } };
  return facts.clusters.map(({ toleratedLoss }) => toleratedLoss);
};

/** What the guard looked at, by its last beat. */
async function watchedIn({ experimentId }: RunDocument): Promise<string[]> {
  const { body } = await system.api.call('GET', `${EXPERIMENTS_PATH}/${experimentId}/status`);
  return (body as { guardrails: { guardrail: string }[] }).guardrails.map(({ guardrail }) => guardrail);
}

it(
  'without a majority of the controllers nothing is acknowledged and nobody is elected; once they are back nothing is lost',
  async () => {
    const file = new URL(`../../../../examples/${EXAMPLE}`, import.meta.url);
    const document = await expectEnd(system, KAFKA_HOSTS, file.href, {
      ...{ outcome: 'CONFIRMED', losesNothing: true, findings: ['quorum lost'] },
    });
    expect(toleratedIn(document)).toEqual([
      expect.stringMatching(/^quorum would keep 1 of 3 controllers: not a majority/),
    ]);
    // Clients were without the cluster for as long as its controllers were, and were back soon after.
    expect(failedIn(document)).toBeGreaterThan(100);
    expect(rtoIn(document)).toBeGreaterThan(FAULT_SECONDS - 5);
    expect(checkIn(document, 'a controller leads again').heldAfterSeconds).toBeLessThan(30);
    process.stderr.write(`${EXAMPLE}: ${JSON.stringify(document.budgets)}\n`);
    // That they say so themselves ended nothing; that another one falls silent would.
    expect(await watchedIn(document)).toContain(ASKED);
    for (const { name } of KAFKA_HOSTS) {
      const { stdout } = await system.on(name, 'pgrep', '-fc', 'kafka[.]Kafka');
      expect(Number(stdout), name).toBe(1);
    }
  },
  PATIENCE_MS,
);

it(
  'a controller alone that is lost is followed by another one: no finding says that the quorum was, and the guard asks the brokers',
  async () => {
    const copy = exampleCopy(EXAMPLE, 'one_controller', ({ parameters, hypothesis }) => {
      parameters.targetNodes = [{ role: 'controller', of: 'quorum' }];
      hypothesis.checks = hypothesis.checks.slice(0, 1);
    });
    const { document, stderr } = await run(system, copy);
    expect(['COMPLETED', 'ABORTED'], stderr).toContain(document.status);
    expect(toleratedIn(document)).toEqual([undefined]);
    expect(document.findings.map(({ failureMode }) => failureMode)).not.toContain('quorum lost');
    const phases = document.timeline
      .filter(({ type }) => type === 'PROBE_MEASURED')
      .flatMap(({ details }) => details.phases as { phase: string; secondsAfterFault: number }[]);
    expect(phases.some((each) => each.phase === 'ELECTED' && each.secondsAfterFault < FAULT_SECONDS)).toBe(true);
    expect(await watchedIn(document)).toContain(ASKED);
  },
  PATIENCE_MS,
);
