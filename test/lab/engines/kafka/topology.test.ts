import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StoreTopology, topologyProblems } from '../../../../functions/domain/topology.ts';
import { kafkaEngine } from '../../../../functions/engines/kafka/engine.ts';
import { commandOn } from '../../../../lab/cli/exec.ts';
import { SESSION_VARIABLE } from '../../../../lab/fleet/kafka/configuration.ts';
import type { PartitionHealth } from '../../../../lab/fleet/kafka/health.ts';
import { KAFKA_HOSTS, KAFKA_UNIT } from '../../../../lab/fleet/kafka/hosts.ts';
import { readLab } from '../../../../lab/runtime/lab-file.ts';
import { startLab, stopLab } from '../../../../lab/runtime/lifecycle.ts';
import { waitFor } from '../../../../lab/shared/wait-for.ts';
import { kafkaCluster } from '../../../functions/engines/kafka/fixtures.ts';
import { ask } from '../../fleet/kafka/in-lab.ts';
import { watchFailover } from './failover.ts';
import { look } from './in-lab.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-kafka-engine-'));
const names = KAFKA_HOSTS.map(({ name }) => name);
const engine = kafkaEngine(kafkaCluster());

function on(name: string, ...argv: string[]): string {
  const [program = '', ...rest] = commandOn(readLab(directory), name, argv);
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${argv.join(' ')} on ${name}: ${status} ${stderr}`);
  return stdout.trim();
}

function signal(name: string, which: 'STOP' | 'CONT' | 'KILL'): void {
  on(name, 'kill', `-${which}`, on(name, 'systemctl', 'show', '-p', 'MainPID', '--value', KAFKA_UNIT));
}

const roleIn = ({ shards }: StoreTopology, shard: string, role: string) =>
  shards.find(({ name }) => name === shard)?.members.find((member) => member.role === role)?.node;

/** The first look of which this is true. */
async function lookUntil(
  what: string,
  isSo: (topology: StoreTopology) => boolean,
  seconds = 25,
): Promise<StoreTopology> {
  let found: StoreTopology | undefined;
  await waitFor(what, seconds, async () => {
    const topology = await look(directory);
    if (!isSo(topology)) return JSON.stringify(topologyProblems(topology));
    found = topology;
    return undefined;
  });
  if (!found) throw new Error(what);
  return found;
}

/** Of the brokers: shorter than theirs by default, so that each end of one is found sooner. */
const SESSION_MS = 2000;

const isWell = (topology: StoreTopology) => topologyProblems(topology).length === 0;

const isPossible = process.platform === 'linux' && process.getuid?.() === 0;
if (!isPossible) process.stderr.write('the view of brokers: not tested: needs Linux and root (network namespaces)\n');

describe.skipIf(!isPossible)('the engine, at the brokers of a lab and with the rights of the guide', () => {
  beforeAll(async () => {
    process.env[SESSION_VARIABLE] = String(SESSION_MS);
    await startLab({ directory, scope: 'fleet', endsWithParent: true, engines: ['kafka'], onProgress: () => {} });
  });

  afterAll(async () => {
    delete process.env[SESSION_VARIABLE];
    await stopLab(directory);
    rmSync(directory, { recursive: true, force: true });
  });

  test('finds a healthy cluster healthy, and gives the roles that its brokers give', async () => {
    const topology = await look(directory);
    expect(topologyProblems(topology)).toEqual([]);
    for (const { topic, partition, leader, inSync } of (await ask(directory, 'partitions')) as PartitionHealth[]) {
      const set = topology.replicaSets?.find(({ name }) => name === `${topic}-${partition}`);
      expect(set, `${topic}-${partition}`).toMatchObject({ leader, minInSync: 2 });
      expect([...(set?.inSync ?? [])].sort()).toEqual([...inSync].sort());
      if (topic === 'holdfast-probe') expect(roleIn(topology, `${topic}-${partition}`, 'leader')).toBe(leader);
    }
    expect(roleIn(topology, 'quorum', 'controller')).toBe(await ask(directory, 'quorumLeader'));
    for (const name of names) expect(engine.refuseLoss(topology, [name])).toBeUndefined();
    expect(engine.refuseLoss(topology, names.slice(1))).toBeDefined();
  });

  test('names the rights that a user lacks, and calls nothing healthy that it may not see', async () => {
    const problems = topologyProblems(await look(directory, 'application'));
    expect(problems.join('\n')).toMatch(/quorum: kafka-node-1 .*the user has no ACL Describe on the cluster/);
    expect(problems).toContain(
      'store: kafka-node-1 does not tell its settings: the user has no ACL DescribeConfigs on the cluster',
    );
    expect(problems.join('\n')).toMatch(/there is no topic holdfast-probe for the probe, or no ACL Describe on it/);
    expect(topologyProblems(await look(directory, 'nobody')).join('\n')).toMatch(/it does not let nobody in/);
  });

  test('calls nobody controller while the controller is paused, and finds the next one afterwards', async () => {
    const controller = roleIn(await look(directory), 'quorum', 'controller') ?? '';
    signal(controller, 'STOP');
    try {
      const fenced = await lookUntil('its end in the in-sync sets', ({ problems }) =>
        problems.some((problem) => problem.includes('are under-replicated')),
      );
      expect(roleIn(fenced, 'quorum', 'controller')).not.toBe(controller);
      expect(fenced.silentNodes).toEqual([controller]);
      expect(fenced.problems).toContain(`${controller} is fenced: the controller does not take it for alive`);
      // Brokers may still wait for it, so that nobody knows of the next one.
      expect([undefined, 45]).toContain(engine.refuseDuring?.(fenced, [controller])?.forSeconds);
      const [other = ''] = names.filter((name) => name !== controller);
      expect(engine.refuseDuring?.(fenced, [other])).toBeDefined();
      expect(engine.refuseLoss(fenced, [other])?.detail).toMatch(/would keep 1 of 3/);
      expect(engine.startsNext?.(fenced, [controller])).toBe(controller);
    } finally {
      signal(controller, 'CONT');
    }
    const after = await lookUntil('health', isWell);
    expect(roleIn(after, 'quorum', 'controller')).not.toBe(controller);
    expect(roleIn(after, 'quorum', 'controller')).toBe(await ask(directory, 'quorumLeader'));
  });

  test('sees a follower that was killed, and what it is missing from, by the name of its node', async () => {
    const [victim = ''] = names;
    on(victim, 'systemctl', 'stop', KAFKA_UNIT);
    const seen = await lookUntil('what is under-replicated', ({ problems }) =>
      problems.some((problem) => /partitions are under-replicated/.test(problem)),
    );
    expect(seen.problems.join('\n')).toMatch(/kafka-node-1 does not answer: .*ECONNREFUSED/);
    expect(seen.replicaSets?.find(({ name }) => name === 'orders-1')).toMatchObject({
      members: ['kafka-node-2', 'kafka-node-3', 'kafka-node-1'],
      inSync: ['kafka-node-2', 'kafka-node-3'],
    });
    expect(engine.refuseUnmeasured?.(seen, [victim])?.detail).toMatch(/kafka-node-1 leads no partition/);
    on(victim, 'systemctl', 'start', KAFKA_UNIT);
    await lookUntil('health', isWell);
  });

  test('measures the failover of a killed leader as another client sees it, and finds all that was acknowledged', async () => {
    const leader = roleIn(await look(directory), 'holdfast-probe-0', 'leader') ?? '';
    expect(await ask(directory, 'partitions')).toContainEqual(
      expect.objectContaining({ topic: 'orders', partition: 0, leader }),
    );
    const { seen } = await watchFailover(directory, 0);
    signal(leader, 'KILL');
    const { rtoSeconds = Number.NaN, account, longestSilenceSeconds } = await seen;
    on(leader, 'systemctl', 'start', KAFKA_UNIT);
    expect(account).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, repeatedOffsets: 0 });
    expect(account.acknowledged).toBeGreaterThan(20);
    expect(rtoSeconds).toBeGreaterThan(SESSION_MS / 2000);
    expect(Math.abs(rtoSeconds - longestSilenceSeconds), `${rtoSeconds} and ${longestSilenceSeconds} s`).toBeLessThan(
      longestSilenceSeconds / 10,
    );
    await lookUntil('health', isWell);
  });
});
