import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ExperimentDocument } from '../../../cli/api-documents.ts';
import { ORDERS_RING } from '../../../lab/fleet/cassandra/hosts.ts';
import { KAFKA_HOSTS } from '../../../lab/fleet/kafka/hosts.ts';
import { waitFor } from '../../../lab/shared/wait-for.ts';
import { PATIENCE_MS } from '../engine-examples.ts';
import { SystemUnderTest } from '../harness.ts';

const ATTEMPTS = 3;
const FILES = ['kafka-broker-paused.json', 'cassandra-node-paused.json'];
/** Says that a fault is over, or about to be. */
const OVER = ['INJECTION_FAILED', 'GUARD_STOPPED', 'ROLLING_BACK', 'CONCLUDED'];
const FLEETS = [KAFKA_HOSTS, ORDERS_RING.hosts];

let system: SystemUnderTest;
beforeAll(() => {
  system = new SystemUnderTest();
});
afterAll(() => system.close());

function experimentOf(file: string, suffix: string): { experimentId: string } {
  const { $schema: _ofTheEditor, ...experiment } = JSON.parse(
    readFileSync(new URL(`../../../examples/${file}`, import.meta.url), 'utf8'),
  );
  // Longer than all looks take.
  return { ...experiment, durationSeconds: 60, experimentId: `${experiment.experimentId}_${suffix}` };
}

/** Hosts on which a program of ours runs, by the hosts' own word. */
async function hit(hosts: readonly { name: string }[]): Promise<string[]> {
  const found: string[] = [];
  for (const { name } of hosts) if ((await system.programs(name)).length > 0) found.push(name);
  return found;
}

/** @returns the runs as they ended, or undefined when a busy machine let one of them not begin */
async function atOnce(attempt: number): Promise<ExperimentDocument[] | undefined> {
  const experiments = FILES.map((file) => experimentOf(file, `at_once_${attempt}`));
  for (const experiment of experiments) await system.waitUntilAdmitted(() => experiment);
  const answers = await Promise.all(experiments.map((experiment) => system.post(experiment)));
  const begun = experiments.filter((_, index) => answers[index]?.status === 202);
  // A machine that is not steady refuses; for another reason nobody may.
  const refusals = answers.filter(({ status }) => status !== 202).map(({ body }) => (body as { type: string }).type);
  for (const type of refusals) expect(type).toBe('urn:holdfast:problem:steady-state-not-met');
  const looks = () => Promise.all(begun.map(({ experimentId }) => system.experiment(experimentId)));
  await waitFor('both faults, or the end of one', 60, async () => {
    const statuses = (await looks()).map(({ timeline, status }) =>
      timeline.some(({ type }) => ['INJECTED', ...OVER].includes(type)) ? undefined : status,
    );
    return statuses.every((status) => status === undefined) ? undefined : statuses.join();
  });
  const impacted = [];
  for (const hosts of FLEETS) impacted.push(await hit(hosts));
  for (const hosts of impacted) expect(hosts.length).toBeLessThanOrEqual(1);
  const isLive = ({ timeline }: ExperimentDocument) => !timeline.some(({ type }) => OVER.includes(type));
  // Only then, and so at the time of the look before.
  const bothLive = refusals.length === 0 && (await looks()).every(isLive);
  if (bothLive) {
    for (const hosts of impacted) expect(hosts).toHaveLength(1);
    for (const file of FILES) {
      const refused = await system.post(experimentOf(file, `more_${attempt}`));
      expect(refused).toMatchObject({ status: 409, body: { type: 'urn:holdfast:problem:cluster-locked' } });
    }
    for (const hosts of FLEETS) expect((await hit(hosts)).length).toBeLessThanOrEqual(1);
  }
  const ended: ExperimentDocument[] = [];
  for (const { experimentId } of begun) ended.push(await system.waitUntilOver(experimentId, 180));
  // Whatever else came of them.
  for (const { status, nodes, timeline } of ended) {
    expect(status).not.toBe('ROLLBACK_FAILED');
    for (const node of nodes ?? []) expect(node).toMatchObject({ leftovers: [] });
    const measured = timeline.filter(({ type }) => type === 'PROBE_MEASURED');
    for (const { details } of measured)
      expect((details as { lostAcknowledgedWrites?: number }).lostAcknowledgedWrites ?? 0).toBe(0);
  }
  for (const hosts of FLEETS) expect(await hit(hosts)).toEqual([]);
  const reasons = ended.map(({ status, reason }) => `${status}: ${reason}`);
  if (ended.every(({ status }) => status === 'COMPLETED') && bothLive) return ended;
  process.stderr.write(`at once: ${reasons.join('; ')}. Once more\n`);
  return undefined;
}

it(
  'two engines are hit at once by experiments of their own, one node of each, never a second one, and nothing is lost',
  async () => {
    let ended: ExperimentDocument[] | undefined;
    for (let attempt = 1; !ended && attempt <= ATTEMPTS; attempt += 1) ended = await atOnce(attempt);
    if (!ended) throw new Error(`they did not run at once in ${ATTEMPTS} attempts`);
    for (const { nodes, budgets } of ended) {
      expect(nodes).toEqual([expect.objectContaining({ outcome: 'REVERTED' })]);
      expect(budgets).toContainEqual(expect.objectContaining({ name: 'lostAcknowledgedWrites', measured: 0 }));
    }
  },
  PATIENCE_MS,
);
