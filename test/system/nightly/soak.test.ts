import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CHECKOUT } from '../../../lab/shared/files.ts';
import { CANARY_NODES, partition, SystemUnderTest } from '../harness.ts';
import { type Resources, readResources } from '../resources.ts';

const EXPERIMENTS = Number(process.env.SOAK_EXPERIMENTS ?? 100);
/** Until then environments start, code is compiled, and pools fill. */
const WARM_UP = Math.min(10, Math.ceil(EXPERIMENTS / 2));
const DURATION_SECONDS = 5;
const PATIENCE_MS = EXPERIMENTS * 120_000;
/** What the lab's own AWS remembers of an experiment (events, executions, commands), and its heap of all services. */
const [LAB_MEGABYTES_AN_EXPERIMENT, LAB_HEAP_MEGABYTES] = [1, 150];
/** A heap that was just collected beside one that was not. */
const HEAP_MEGABYTES = 60;

/** Faults that have ended are remembered by their host, and the one that it is about to begin. */
const REMEMBERED = Number(/^REMEMBERED = (\d+)$/m.exec(readFileSync(`${CHECKOUT}/host/fault_files.py`, 'utf8'))?.[1]);

let system: SystemUnderTest;
beforeAll(() => {
  system = new SystemUnderTest();
});
afterAll(() => system.close());

/** In turn: rules and sets, a stopped process, control groups and workers. */
function experiment(number: number, node: string): object {
  const id = `soak_${number}`;
  const base = partition(id, node, CANARY_NODES, DURATION_SECONDS);
  if (number % 3 === 0) return base;
  if (number % 3 === 1) return { ...base, action: 'PROCESS_PAUSE', parameters: { targetNodes: [node] } };
  return { ...base, action: 'CPU_SPIKE', parameters: { targetNodes: [node], cores: 1, loadPct: 20 } };
}

/** Once a run is over its processes need a moment to end. */
async function settled(before: Resources | undefined): Promise<Resources> {
  for (let left = 20; ; left -= 1) {
    const now = await readResources(system);
    const isSame = JSON.stringify(now.hosts) === JSON.stringify(before?.hosts ?? now.hosts);
    if (left === 0 || (isSame && now.namespaces <= (before?.namespaces ?? now.namespaces))) return now;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

it(
  `${EXPERIMENTS} experiments one after another leave nothing behind that grows`,
  async () => {
    const statuses: string[] = [];
    let warm: Resources | undefined;
    for (let number = 0; number < EXPERIMENTS; number += 1) {
      if (number === WARM_UP) warm = await settled(undefined);
      await system.waitUntilSteady();
      const answer = await system.post(experiment(number, await system.replicaOf(CANARY_NODES)));
      expect([200, 202], JSON.stringify(answer.body)).toContain(answer.status);
      const over = await system.waitUntilOver(`soak_${number}`);
      // A busy machine may refuse one or end it early; whatever is left behind then counts as well.
      process.stdout.write(`soak: ${over.experimentId}: ${over.status}\n`);
      statuses.push(over.status);
    }
    expect(statuses).not.toContain('ROLLBACK_FAILED');
    expect(statuses.filter((status) => status === 'COMPLETED').length).toBeGreaterThan(EXPERIMENTS / 2);
    const end = await settled(warm);
    for (const [group, { processes, megabytes, descriptors }] of Object.entries(end.held)) {
      const before = warm?.held[group];
      process.stdout.write(
        `soak: ${group}: ${before?.processes} → ${processes} processes, ` +
          `${before?.megabytes.toFixed(1)} → ${megabytes.toFixed(1)} MB, ${before?.descriptors} → ${descriptors} descriptors\n`,
      );
    }
    process.stdout.write(`soak: ${warm?.namespaces} → ${end.namespaces} namespaces\n`);
    expect(end.hosts).toEqual(warm?.hosts);
    for (const [host, count] of Object.entries(end.faults)) expect(count, host).toBeLessThanOrEqual(REMEMBERED + 1);
    expect(end.namespaces).toBeLessThanOrEqual(warm?.namespaces ?? 0);
    for (const [group, { processes, megabytes, descriptors }] of Object.entries(end.held)) {
      const before = warm?.held[group] ?? { processes: 0, megabytes: 0, descriptors: 0 };
      const room =
        group === 'aws'
          ? LAB_HEAP_MEGABYTES + LAB_MEGABYTES_AN_EXPERIMENT * EXPERIMENTS
          : HEAP_MEGABYTES * Math.max(1, processes);
      expect(megabytes, group).toBeLessThan(before.megabytes + room);
      expect(processes, group).toBeLessThanOrEqual(before.processes + 1);
      expect(descriptors / processes, group).toBeLessThan(before.descriptors / Math.max(1, before.processes) + 5);
    }
  },
  PATIENCE_MS,
);
