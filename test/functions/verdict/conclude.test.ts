import { describe, expect, it } from 'vitest';
import type { AuditEntry, EntryType } from '../../../functions/domain/audit-entry.ts';
import type { ExperimentRun } from '../../../functions/domain/workflow.ts';
import { type ConcludeDependencies, conclude } from '../../../functions/verdict/conclude.ts';
import {
  CALLER,
  configuration,
  fakeClock,
  fullRun,
  iso,
  logOf,
  rolledBack,
  seedExperiment,
} from '../domain/fixtures.ts';
import { experimentOf, hostFault } from '../inject/fixtures.ts';

const ID = 'exp_chaos_redis_019';
const run: ExperimentRun = { experimentId: ID, experiment: seedExperiment(), caller: CALLER, rollbackOnly: false };

function setUp(read: (nowMs: number) => AuditEntry[]) {
  const acts: string[] = [];
  const appended: AuditEntry[] = [];
  const clock = fakeClock();
  const dependencies: ConcludeDependencies = {
    audit: {
      read: async () => [...read(clock.monotonicMs()), ...appended],
      append: async (id, type, _actor, details) => {
        acts.push(type);
        appended.push(...logOf(id, [type, details]));
        return appended[0] as AuditEntry;
      },
    },
    locks: {
      release: async (cluster) => {
        acts.push(`unlock ${cluster}`);
        return true;
      },
    },
    writeRecord: async ({ id }) => {
      acts.push(`record ${id}`);
    },
    publish: (_experiment, { status }) => {
      acts.push(`publish ${status}`);
    },
    clusters: configuration().clusters,
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

  it("holds the probe's measurement against the budgets of the first fault's cluster, and frees all clusters", async () => {
    const faults = [hostFault(1, 0, 'redis-z'), hostFault(2, 0, 'redis-a')];
    const announced = faults.map(({ faultId }) => ({ faultId }));
    const nodes = faults.map(({ faultId }) => ({ node: 'n', faultId, outcome: 'REVERTED', leftovers: [] }));
    const { acts, dependencies } = setUp(() =>
      fullRun({
        ADMITTED: { experiment: experimentOf(faults), facts: {} },
        INJECTING: { commands: announced },
        INJECTED: { injectedAt: iso(3), rollbackScheduledAt: iso(63), injectedFaults: ['exp.1', 'exp.2'] },
        ROLLED_BACK: { outcome: 'ROLLED_BACK', rolledBackAt: iso(63), nodes },
      }),
    );
    const { 'redis-master': cluster } = dependencies.clusters;
    if (!cluster) throw new Error('no cluster');
    const of = (rtoSeconds: number) => ({ ...cluster, budgets: { ...cluster.budgets, rtoSeconds } });
    const clusters = { 'redis-z': of(5), 'redis-a': of(500) };
    const verdict = await conclude({ ...run, experiment: experimentOf(faults) }, { ...dependencies, clusters });
    expect(verdict).toMatchObject({ outcome: 'DEVIATED', budgets: [{ limit: 5, measured: 6.5 }, {}] });
    expect(acts.slice(-2)).toEqual(['unlock redis-a', 'unlock redis-z']);
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

  it('waits no longer than 45 s, and then confirms nothing', async () => {
    const { dependencies, clock } = setUp(() => fullRun({ PROBE_MEASURED: undefined }));
    expect(await conclude(run, dependencies)).toMatchObject({ outcome: 'INCONCLUSIVE' });
    expect(clock.monotonicMs()).toBe(45_000);
  });

  it('waits for no probe when nothing was injected', async () => {
    const { acts, dependencies, clock } = setUp(() => fullRun().slice(0, 2));
    expect(await conclude(run, dependencies)).toMatchObject({ status: 'REFUSED' });
    expect(clock.monotonicMs()).toBe(0);
    expect(acts).toEqual(['CONCLUDED', 'publish REFUSED', 'unlock redis-master']);
  });

  it('keeps the cluster locked after a failed rollback until a later one succeeded and the store recovered', async () => {
    const failed = { ROLLED_BACK: undefined, ROLLBACK_FAILED: rolledBack({ outcome: 'FAILED' }, 'ROLLBACK_FAILED') };
    let log = fullRun(failed);
    const { acts, dependencies } = setUp(() => log);
    expect(await conclude(run, dependencies)).toMatchObject({ status: 'ROLLBACK_FAILED' });
    expect(acts.some((act) => act.startsWith('unlock'))).toBe(false);

    acts.length = 0;
    const again = (...types: [EntryType, Record<string, unknown>][]) => [...fullRun(failed), ...logOf(ID, ...types)];
    log = again(['ROLLED_BACK', rolledBack({})], ['RECOVERY_FAILED', { problems: ['no master'] }]);
    await conclude(run, dependencies);
    expect(acts).toEqual([]);
    log = again(['ROLLED_BACK', rolledBack({})], ['RECOVERY_VERIFIED', { problems: [] }]);
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
