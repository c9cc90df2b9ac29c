import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { PROBE_MEASURED_DEADLINE_MS } from '../../../functions/domain/timing.ts';
import type { ExperimentRun } from '../../../functions/domain/workflow.ts';
import { REDIS_FAILURE_MODES } from '../../../functions/engines/redis/failure-modes.ts';
import { type ConcludeDependencies, conclude } from '../../../functions/verdict/conclude.ts';
import { configuration, redisCluster } from '../domain/configuration-fixtures.ts';
import { experimentOf, hostFault, planOf, seedExperiment } from '../domain/experiment-fixtures.ts';
import { CALLER, fullRun, type Given, logAfter, reverted, runUntil, targetsOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const ID = 'exp_chaos_redis_019';
const run: ExperimentRun = { experimentId: ID, experiment: seedExperiment(), caller: CALLER, rollbackOnly: false };

function setUp(read: (nowMs: number) => AuditEntry[]) {
  const acts: string[] = [];
  const clock = new SimulatedClock();
  const written = memoryAuditLog({ clock, onAppend: ({ type }) => acts.push(type) });
  const dependencies: ConcludeDependencies = {
    audit: { ...written, read: async () => [...read(clock.monotonicMs()), ...written.entries] },
    locks: {
      release: async (cluster) => {
        acts.push(`unlock ${cluster}`);
        return true;
      },
    },
    records: {
      write: async ({ id }) => {
        acts.push(`record ${id}`);
      },
    },
    publish: (_experiment, { status }) => {
      acts.push(`publish ${status}`);
    },
    clusters: configuration().clusters,
    failureModes: () => REDIS_FAILURE_MODES,
    clock,
  };
  return { acts, clock, dependencies };
}

describe('concluding an experiment', () => {
  it('writes the record and the verdict before it frees the cluster', async () => {
    const { acts, dependencies } = setUp(() => fullRun());
    expect(await conclude(run, dependencies)).toMatchObject({ status: 'COMPLETED', outcome: 'CONFIRMED' });
    expect(acts.map((act) => act.split(' ')[0])).toEqual(['record', 'CONCLUDED', 'publish', 'unlock']);
  });

  it('puts the failure modes that the run shows into the verdict, and none where it shows none', async () => {
    expect(await conclude(run, setUp(() => fullRun()).dependencies)).not.toHaveProperty('findings');
    const { dependencies } = setUp(() => fullRun({ PROBE_MEASURED: { lostAcknowledgedWrites: 3 } }));
    expect(await conclude(run, dependencies)).toMatchObject({
      outcome: 'DEVIATED',
      findings: [{ failureMode: 'split brain', measure: 'lostAcknowledgedWrites', value: 3 }],
    });
  });

  it('holds the run against the budgets of what was admitted and frees that, whatever it is handed', async () => {
    const { acts, dependencies } = setUp(() => fullRun());
    const forged = experimentOf([hostFault(1, 0, 'redis-other')]);
    expect(await conclude({ ...run, experiment: forged }, dependencies)).toMatchObject({ outcome: 'CONFIRMED' });
    expect(acts.filter((act) => act.startsWith('unlock'))).toEqual(['unlock redis-master']);
  });

  const faults = [hostFault(1, 0, 'redis-z'), hostFault(2, 0, 'redis-a')];
  const experiment = experimentOf(faults);
  const ofTwoClusters = (...measured: Given[]) =>
    logAfter(
      fullRun({
        ADMITTED: { experiment },
        TARGETS_RESOLVED: targetsOf(faults),
        PROBE_READY: undefined,
        INJECTING: planOf(faults),
        INJECTED: { injectedFaults: faults.map(({ faultId }) => faultId) },
        ROLLED_BACK: { nodes: faults.map(({ faultId }) => reverted({ faultId, revertReason: 'LEASE_RELEASED' })) },
        PROBE_MEASURED: undefined,
      }),
      ...measured,
    );
  const inZ: Given = ['PROBE_MEASURED', { cluster: 'redis-z' }];
  const inA: Given = ['PROBE_MEASURED', { cluster: 'redis-a', rtoSeconds: 2 }];

  it("holds each cluster's shards against that cluster's budgets, and frees all clusters", async () => {
    const { acts, dependencies } = setUp(() => ofTwoClusters(inZ, inA));
    const cluster = redisCluster();
    const of = (rtoSeconds: number) => ({ ...cluster, budgets: { ...cluster.budgets, rtoSeconds } });
    const clusters = { 'redis-z': of(5), 'redis-a': of(500) };
    const verdict = await conclude({ ...run, experiment }, { ...dependencies, clusters });
    expect(verdict.outcome).toBe('DEVIATED');
    expect(verdict.budgets.filter(({ name }) => name === 'rtoSeconds')).toEqual([
      { cluster: 'redis-a', name: 'rtoSeconds', limit: 500, measured: 2, met: true },
      { cluster: 'redis-z', name: 'rtoSeconds', limit: 5, measured: 6.5, met: false },
    ]);
    expect(acts.slice(-2)).toEqual(['unlock redis-a', 'unlock redis-z']);
  });

  it('waits until every impacted shard was measured', async () => {
    const { dependencies, clock } = setUp((nowMs) => ofTwoClusters(inZ, ...(nowMs < 20_000 ? [] : [inA])));
    await conclude({ ...run, experiment }, dependencies);
    expect(clock.monotonicMs()).toBe(20_000);
  });

  it('only frees the cluster the second time', async () => {
    const { acts, dependencies } = setUp(() => fullRun());
    const first = await conclude(run, dependencies);
    acts.length = 0;
    expect(await conclude(run, dependencies)).toEqual(first);
    expect(acts).toEqual(['unlock redis-master']);
  });

  it('waits for the probe', async () => {
    const { dependencies, clock } = setUp((nowMs) => fullRun(nowMs < 20_000 ? { PROBE_MEASURED: undefined } : {}));
    expect(await conclude(run, dependencies)).toMatchObject({ outcome: 'CONFIRMED' });
    expect(clock.monotonicMs()).toBe(20_000);
  });

  it('waits for it no longer than it may take, and then confirms nothing', async () => {
    const { dependencies, clock } = setUp(() => fullRun({ PROBE_MEASURED: undefined }));
    expect(await conclude(run, dependencies)).toMatchObject({ outcome: 'INCONCLUSIVE' });
    expect(clock.monotonicMs()).toBe(PROBE_MEASURED_DEADLINE_MS);
  });

  it('waits for no probe when nothing was injected', async () => {
    const { acts, dependencies, clock } = setUp(() => runUntil('STEADY_STATE_CONFIRMED'));
    expect(await conclude(run, dependencies)).toMatchObject({ status: 'REFUSED' });
    expect(clock.monotonicMs()).toBe(0);
    expect(acts).toEqual(['CONCLUDED', 'publish REFUSED', 'unlock redis-master']);
  });

  it('keeps the cluster locked after a failed rollback until a later one succeeded and the store recovered', async () => {
    const failed = fullRun({ ROLLED_BACK: undefined, ROLLBACK_FAILED: {} });
    let log = failed;
    const { acts, dependencies } = setUp(() => log);
    expect(await conclude(run, dependencies)).toMatchObject({ status: 'ROLLBACK_FAILED' });
    expect(acts.some((act) => act.startsWith('unlock'))).toBe(false);

    acts.length = 0;
    log = logAfter(failed, ['ROLLED_BACK'], ['RECOVERY_FAILED']);
    await conclude(run, dependencies);
    expect(acts).toEqual([]);
    log = logAfter(failed, ['ROLLED_BACK'], ['RECOVERY_VERIFIED']);
    expect(await conclude(run, dependencies)).toMatchObject({ status: 'ROLLBACK_FAILED' });
    expect(acts).toEqual(['unlock redis-master']);
  });

  it('keeps the cluster locked when the verdict cannot be written', async () => {
    const { acts, dependencies } = setUp(() => fullRun());
    const audit = { ...dependencies.audit, append: async () => Promise.reject(new Error('no answer')) };
    await expect(conclude(run, { ...dependencies, audit })).rejects.toThrow('no answer');
    expect(acts.some((act) => act.startsWith('unlock'))).toBe(false);
  });
});
