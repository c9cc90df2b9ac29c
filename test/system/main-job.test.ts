import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_GUARDRAILS } from '../../functions/domain/configuration.ts';
import type { Observer } from '../../lab/fleet/observe.ts';
import { CANARY_NODES, SystemUnderTest } from './harness.ts';
import { labRun, type RunDocument } from './lab-run.ts';

function timeOf(document: RunDocument, type: string): number {
  const entry = document.timeline.find((candidate) => candidate.type === type);
  if (!entry) throw new Error(`${type} is not in ${document.timeline.map((each) => each.type).join(' ')}`);
  return Date.parse(entry.at);
}

describe('the main job: the seed experiment, as written, through the deployed system', () => {
  let system: SystemUnderTest;
  let fromPeer: Observer;
  let fromStranger: Observer;
  let finished: Awaited<ReturnType<typeof labRun>>;
  let account: { acknowledged: number; lost: number };
  let startedMs: number;
  /** Moments at which the isolated node still called itself master, from shortly before the end of the fault on. */
  const stillMasterMs: number[] = [];

  beforeAll(async () => {
    system = new SystemUnderTest();
    fromPeer = system.observe('redis-node-3', 'redis-node-1');
    fromStranger = system.observe('redis-node-3', 'redis-node-7');
    await system.waitUntilAdmitted(() => JSON.parse(readFileSync('examples/redis-partition.json', 'utf8')));
    const writer = system.startWriter('shard-1', 'main-job');
    startedMs = Date.now();
    let running = true;
    const run = labRun('examples/redis-partition.json').finally(() => {
      running = false;
    });
    const goneMs = await fromPeer.waitFor(false, startedMs, 30_000);
    await delay(goneMs + 58_000 - Date.now());
    while (running) {
      const askedMs = Date.now();
      if ((await system.replicationOf('redis-node-3')).includes('role:master')) stillMasterMs.push(askedMs);
    }
    finished = await run;
    account = await writer.stop();
  });
  afterAll(() => {
    fromPeer.stop();
    fromStranger.stop();
    system.close();
  });

  it('runs, is rolled back, is verified clean and meets its budgets, and exits 0', () => {
    const { code, document, stderr } = finished;
    expect(document.status, stderr).toBe('COMPLETED');
    expect(document.outcome, stderr).toBe('CONFIRMED');
    expect(code, stderr).toBe(0);
    expect(document.nodes.map((node) => [node.node, node.outcome, node.leftovers])).toEqual([
      ['redis-node-3', 'REVERTED', []],
    ]);
  });

  it('finds every check of its hypothesis held, with what was measured', () => {
    const { checks } = finished.document;
    expect(checks.filter(({ result }) => result !== 'HELD')).toEqual([]);
    const named = new Map(checks.map((check) => [check.name, check]));
    expect(named.get('another node is promoted')).toMatchObject({ measured: 1 });
    expect(named.get('the alert fires')).toMatchObject({ measured: 1 });
    expect(named.get('clients are back within 15 s')?.measured).toBeGreaterThan(1);
    expect(named.get('both replicas follow again')).toMatchObject({ measured: 2 });
    const [alertSeconds, servedPct] = [
      named.get('the alert fires')?.heldAfterSeconds,
      named.get('customers are served')?.measured,
    ];
    expect(alertSeconds).toBeGreaterThan(0);
    // A third of a percent of the requests is of this shard.
    expect(servedPct).toBeGreaterThan(0);
  });

  it('really isolates redis-node-3 from peers and from clients, for the whole TTL and no longer', async () => {
    for (const observer of [fromPeer, fromStranger]) {
      const goneMs = await observer.waitFor(false, startedMs, 1_000);
      const backMs = await observer.waitFor(true, goneMs + 1_000, 1_000);
      expect(backMs - goneMs).toBeGreaterThan(58_000);
    }
    const goneMs = await fromPeer.waitFor(false, startedMs, 1_000);
    const backMs = await fromPeer.waitFor(true, goneMs + 1_000, 1_000);
    expect(backMs - goneMs).toBeLessThan(61_500);
  });

  it('arms and records before it acts', async () => {
    const { document } = finished;
    const goneMs = await fromPeer.waitFor(false, startedMs, 1_000);
    expect(timeOf(document, 'ADMITTED')).toBeLessThan(timeOf(document, 'INJECTING'));
    expect(timeOf(document, 'INJECTING')).toBeLessThan(goneMs);
  });

  it('sees Sentinel promote another node, and measures an RTO under 15 s from the client', () => {
    const { document } = finished;
    const promotion = document.timeline.find((entry) => entry.type === 'PROMOTION_OBSERVED');
    expect(promotion?.details).toMatchObject({ shard: 'shard-1', from: 'redis-node-3' });
    const rto = document.budgets.find((budget) => budget.name === 'rtoSeconds');
    expect(rto?.measured).toBeGreaterThan(1);
    expect(rto?.measured).toBeLessThan(15);
  });

  it('says in phases how the shard came back, by what the Sentinels told and what clients and replicas did', () => {
    const probe = finished.document.timeline.find((entry) => entry.type === 'PROBE_MEASURED')?.details;
    const phases = probe?.phases as {
      phase: string;
      event: string;
      secondsAfterFault: number;
      uncertaintyMs: number;
    }[];
    expect(phases.map(({ phase }) => phase)).toEqual(['DETECTED', 'ELECTED', 'CLIENTS_RECOVERED', 'FULLY_REPLICATED']);
    const [detected, elected, , replicated] = phases;
    expect(detected?.event).toMatch(/^Sentinel of redis-node-[12]: \+odown redis-node-3 /);
    expect(elected?.event).toMatch(/^Sentinel of redis-node-[12]: \+switch-master redis-node-[12], was redis-node-3$/);
    // Only when the old master is back are there as many replicas as before.
    expect(replicated?.secondsAfterFault).toBeGreaterThan(58);
    for (const { uncertaintyMs, phase } of phases) expect(uncertaintyMs, phase).toBeLessThan(3000);
  });

  it('times every write and read from when it was due, and keeps each second of them', () => {
    const { timeline } = finished.document;
    const probe = timeline.find((entry) => entry.type === 'PROBE_MEASURED')?.details;
    const latency = (probe?.latency ?? {}) as Record<string, { p50: number; p99: number }>;
    expect(Object.keys(latency)).toEqual(['writeMs', 'readMs']);
    for (const { p50, p99 } of Object.values(latency)) {
      expect(p50).toBeLessThan(50);
      // More than one in a hundred operations failed in the outage.
      expect(p99).toBe(60_000);
    }
    const logs = timeline.filter((entry) => entry.type === 'LATENCY_RECORDED').map(({ details }) => details);
    expect(logs.map(({ operation }) => operation)).toEqual(['write', 'read']);
    for (const { histograms } of logs) expect((histograms as string[]).length).toBeGreaterThan(60);
  });

  it('observed the shard without a gap, and counts all of its unavailability', () => {
    const { budgets, timeline } = finished.document;
    const probe = timeline.find((entry) => entry.type === 'PROBE_MEASURED')?.details;
    expect(probe?.largestGapSeconds).toBeLessThan(0.5);
    expect(Date.parse(String(probe?.observedFrom))).toBeLessThan(timeOf(finished.document, 'INJECTING'));
    expect(Date.parse(String(probe?.observedUntil))).toBeGreaterThan(timeOf(finished.document, 'RECOVERY_VERIFIED'));
    const measured = (name: string) => budgets.find((budget) => budget.name === name)?.measured ?? Number.NaN;
    expect(measured('unavailableSeconds')).toBeGreaterThanOrEqual(measured('rtoSeconds'));
  });

  it('watches the guardrails until the store is healthy again, and sees none crossed', () => {
    const watch = finished.document.timeline.find((entry) => entry.type === 'ROLLBACK_WATCHED')?.details;
    expect(watch).toMatchObject({ breaches: [], unseen: [] });
    expect(Date.parse(String(watch?.from))).toBeLessThanOrEqual(timeOf(finished.document, 'GUARD_STOPPED'));
    expect(Date.parse(String(watch?.until))).toBeGreaterThan(timeOf(finished.document, 'RECOVERY_VERIFIED'));
  });

  it('accounts for every acknowledged write and loses none', () => {
    const probe = finished.document.timeline.find((entry) => entry.type === 'PROBE_MEASURED')?.details;
    expect(probe?.acknowledgedWrites).toBeGreaterThan(500);
    expect(probe?.failedWrites).toBeGreaterThan(0);
    expect(probe?.lostAcknowledgedWrites).toBe(0);
  });

  it('loses no acknowledged write of an application that keeps its own account', () => {
    expect(account.acknowledged).toBeGreaterThan(500);
    expect(account.lost).toBe(0);
  });

  it('keeps clients fenced off the old master until it is a replica, and lets its peers in before', async () => {
    const goneMs = await fromPeer.waitFor(false, startedMs, 1_000);
    const peersBackMs = await fromPeer.waitFor(true, goneMs + 1_000, 1_000);
    const clientsBackMs = await fromStranger.waitFor(true, goneMs + 1_000, 1_000);
    expect(stillMasterMs.length).toBeGreaterThan(0);
    expect(Math.max(...stillMasterMs)).toBeLessThan(clientsBackMs);
    expect(clientsBackMs - peersBackMs).toBeGreaterThan(1_000);
    expect(clientsBackMs - peersBackMs).toBeLessThan(15_500);
  });

  it("writes the seed's record, one row for the fault, under the seed's column names", () => {
    const [row, ...others] = finished.document.records;
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      experiment_id: 'exp_chaos_redis_019',
      target_cluster: 'redis-master',
      fault_type: 'NETWORK_PARTITION',
      was_auto_rolled_back: false,
      data_loss_detected: false,
    });
    for (const column of [
      'id',
      'injected_at',
      'rolled_back_at',
      'baseline_latency_ms',
      'peak_latency_ms',
      'recovery_time_seconds',
    ]) {
      expect(row?.[column], column).toBeDefined();
    }
  });

  it('leaves the host clean and the store healthy: no rule of ours, the old master a replica with its link up', async () => {
    expect(await system.ourRules('redis-node-3')).toEqual([]);
    expect(await system.programs('redis-node-3')).toEqual([]);
    const roles = await Promise.all(CANARY_NODES.map((node) => system.replicationOf(node)));
    expect(roles.filter((role) => role.includes('role:master'))).toHaveLength(1);
    expect(roles[2]).toContain('role:slave');
    expect(roles[2]).toContain('master_link_status:up');
  });
});

describe('the same fault on a shard that carries production traffic', () => {
  let system: SystemUnderTest;
  let observer: Observer;
  let finished: Awaited<ReturnType<typeof labRun>>;
  let startedMs: number;

  beforeAll(async () => {
    system = new SystemUnderTest();
    await system.waitUntilAdmitted(() =>
      JSON.parse(readFileSync('examples/redis-partition-production-shard.json', 'utf8')),
    );
    observer = system.observe('redis-node-6', 'redis-node-4');
    startedMs = Date.now();
    finished = await labRun('examples/redis-partition-production-shard.json');
  });
  afterAll(() => {
    observer.stop();
    system.close();
  });

  it('is aborted by the guard, rolled back and verified, with nothing acknowledged lost, and does not exit 0', () => {
    const { document, code, stderr } = finished;
    expect(document.status, stderr).toBe('ABORTED');
    expect(code).not.toBe(0);
    const types = document.timeline.map((entry) => entry.type);
    expect(types).toEqual(expect.arrayContaining(['ROLLED_BACK', 'RECOVERY_VERIFIED', 'PROBE_MEASURED']));
    const probe = document.timeline.find((entry) => entry.type === 'PROBE_MEASURED')?.details;
    expect(probe?.lostAcknowledgedWrites).toBe(0);
    const stopped = document.timeline.find((entry) => entry.type === 'GUARD_STOPPED')?.details;
    expect(stopped?.reason).toBe('GUARDRAIL');
    expect(document.records[0]).toMatchObject({ was_auto_rolled_back: true });
  });

  it('finds that its hypothesis failed, and by how much', () => {
    const { checks } = finished.document;
    const served = checks.find(({ name }) => name === 'customers are served');
    expect(served).toMatchObject({ result: 'FAILED', failedSeconds: expect.any(Number) });
    expect(served?.measured).toBeGreaterThan(0.5);
    expect(checks.find(({ name }) => name === 'the alert fires')).toMatchObject({ result: 'HELD' });
  });

  it('is lifted within 2 s of the first bad scrape', async () => {
    const goneMs = await observer.waitFor(false, startedMs, 1_000);
    const backMs = await observer.waitFor(true, goneMs + 200, 1_000);
    const badMs = await firstBadScrapeMs(system, goneMs);
    expect(badMs).toBeGreaterThan(goneMs);
    expect(backMs).toBeGreaterThanOrEqual(badMs);
    expect(backMs - badMs).toBeLessThan(2_000);
  });
});

/** The first moment at which any default guardrail was over its limit, as Prometheus itself answers for each moment. */
async function firstBadScrapeMs(system: SystemUnderTest, fromMs: number): Promise<number> {
  const firsts = await Promise.all(
    Object.values(DEFAULT_GUARDRAILS).map(async ({ query, limit, breachWhen }) => {
      const parameters = new URLSearchParams({
        query: `(${query}) ${breachWhen === 'above' ? '>' : '<'} ${limit}`,
        start: String(fromMs / 1000),
        end: String(fromMs / 1000 + 10),
        step: '0.05',
      });
      const response = await fetch(`${system.lab.prometheusUrl}/api/v1/query_range?${parameters}`);
      const { data } = (await response.json()) as { data: { result: { values: [number, string][] }[] } };
      return data.result[0]?.values[0]?.[0];
    }),
  );
  const seen = firsts.filter((first) => first !== undefined);
  if (seen.length === 0) throw new Error('Prometheus never saw a bad scrape');
  return Math.min(...seen) * 1000;
}
