import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import type { ExperimentRun } from '../../../functions/domain/workflow.ts';
import { type SweepDependencies, sweep } from '../../../functions/rollback/sweep.ts';
import { EPOCH_MS, fakeClock, fullRun, logOf, rolledBack } from '../domain/fixtures.ts';

const ID = 'exp_chaos_redis_019';
const NOW_SECONDS = EPOCH_MS / 1000;

function setUp(entries: AuditEntry[] | Error, endsInSeconds: number, clusters = ['redis-master']) {
  const acts: string[] = [];
  const runs: ExperimentRun[] = [];
  const dependencies: SweepDependencies = {
    locks: {
      list: async () =>
        clusters.map((cluster) => ({ cluster, experimentId: ID, endsByEpochSeconds: NOW_SECONDS + endsInSeconds })),
      release: async (cluster) => {
        acts.push(`unlock ${cluster}`);
        return true;
      },
    },
    audit: {
      read: async () => {
        if (entries instanceof Error) throw entries;
        return entries;
      },
    },
    leases: {
      release: async (_id, reason) => {
        acts.push(`release ${reason}`);
      },
    },
    startExecution: async (name, run) => {
      acts.push(`start ${name}`);
      runs.push(run);
    },
    executionEnded: async () => false,
    clock: fakeClock(),
  };
  return { acts, runs, dependencies };
}

const concluded = fullRun({ CONCLUDED: { status: 'COMPLETED', outcome: 'CONFIRMED', budgets: [], reason: '' } });
const dead = fullRun().slice(0, 4);

describe('the sweep', () => {
  it('lets go of what is past its end and rolls it back', async () => {
    const { acts, runs, dependencies } = setUp(dead, -1);
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'rollback started' });
    expect(acts).toEqual(['release SWEEP', `start ${ID}-sweep-${Math.floor(NOW_SECONDS / 60)}`]);
    expect(runs[0]).toMatchObject({ experimentId: ID, rollbackOnly: true, experiment: { experimentId: ID } });
  });

  it('starts a rollback however many targets there are: they stay in the log', async () => {
    const { runs, dependencies } = setUp(
      [...dead, ...logOf(ID, ['TARGETS_RESOLVED', { targets: { faults: [] } }])],
      -1,
    );
    await sweep(dependencies);
    expect(runs[0]).not.toHaveProperty('targets');
  });

  it('leaves alone what is within its time', async () => {
    const { acts, dependencies } = setUp(dead, 1);
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'within its time' });
    expect(acts).toEqual([]);
  });

  it('rolls back before the time is over when the execution is dead', async () => {
    const { acts, dependencies } = setUp(dead, 1);
    dependencies.executionEnded = async (name) => name === ID;
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'rollback started' });
    expect(acts[0]).toBe('release SWEEP');
  });

  it('leaves an experiment its time when nobody knows of its execution', async () => {
    const { acts, dependencies } = setUp(dead, 1);
    dependencies.executionEnded = () => Promise.reject(new Error('throttled'));
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'within its time' });
    expect(acts).toEqual([]);
  });

  it('asks for the execution before it reads the log, so that a run that just ended well is left alone', async () => {
    const { acts, dependencies } = setUp(dead, 1);
    let ended = false;
    dependencies.executionEnded = async () => {
      ended = true;
      return true;
    };
    dependencies.audit.read = async () => (ended ? concluded : dead);
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'lock freed' });
    expect(acts).toEqual(['unlock redis-master']);
  });

  describe('after a rollback that failed', () => {
    const failed = fullRun({
      ROLLED_BACK: undefined,
      RECOVERY_VERIFIED: undefined,
      ROLLBACK_FAILED: rolledBack({ outcome: 'FAILED' }, 'ROLLBACK_FAILED'),
      RECOVERY_FAILED: { problems: ['no master'] },
      CONCLUDED: { status: 'ROLLBACK_FAILED', outcome: 'INCONCLUSIVE', budgets: [], reason: '' },
    });
    const later = (...entries: Parameters<typeof logOf>[1][]) => [...failed, ...logOf(ID, ...entries)];
    const sweepAt = async (entries: AuditEntry[], seconds: number) => {
      const { acts, dependencies } = setUp(entries, 1000);
      dependencies.clock = fakeClock(EPOCH_MS + seconds * 1000);
      return { ...(await sweep(dependencies)), acts };
    };

    it('keeps the lock and tries again', async () => {
      const { acts, ...done } = await sweepAt(failed, 20);
      expect(done).toEqual({ 'redis-master': 'rollback started' });
      expect(acts.some((act) => act.startsWith('unlock'))).toBe(false);
    });

    it('tries again no sooner than the one under way can have ended', async () => {
      const begun = later(['ROLLING_BACK', { reason: 'SWEEP' }]);
      expect(await sweepAt(begun, 60)).toMatchObject({ 'redis-master': 'rollback under way' });
      expect(await sweepAt(begun, 300)).toMatchObject({ 'redis-master': 'rollback started' });
      const reverted = later(['ROLLED_BACK', rolledBack({})]);
      expect(await sweepAt(reverted, 600)).toMatchObject({ 'redis-master': 'rollback under way' });
    });

    it('frees the lock only behind a rollback that succeeded and a store that recovered', async () => {
      const recovered = later(['ROLLED_BACK', rolledBack({})], ['RECOVERY_VERIFIED', { problems: [] }]);
      expect(await sweepAt(recovered, 200)).toEqual({ 'redis-master': 'lock freed', acts: ['unlock redis-master'] });
      const sick = later(['ROLLED_BACK', rolledBack({})], ['RECOVERY_FAILED', { problems: ['no master'] }]);
      expect(await sweepAt(sick, 20)).toMatchObject({ 'redis-master': 'rollback started' });
    });
  });

  it('treats an end that is not a number as passed', async () => {
    const { acts, dependencies } = setUp(dead, Number.NaN);
    await sweep(dependencies);
    expect(acts[0]).toBe('release SWEEP');
  });

  it('frees the lock of a concluded experiment at once', async () => {
    const { acts, dependencies } = setUp(concluded, 100);
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'lock freed' });
    expect(acts).toEqual(['unlock redis-master']);
  });

  it('frees the lock of a start that died before it was admitted', async () => {
    const { acts, dependencies } = setUp([], -1);
    await sweep(dependencies);
    expect(acts).toEqual(['release SWEEP', 'unlock redis-master']);
  });

  it('sends no second rollback while one is under way, but lets go again', async () => {
    const { acts, dependencies } = setUp(fullRun().slice(0, 6), -1);
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'rollback under way' });
    expect(acts).toEqual(['release SWEEP']);
  });

  it('lets go although the log cannot be read, and fails loudly', async () => {
    const { acts, dependencies } = setUp(new Error('no answer'), -1);
    await expect(sweep(dependencies)).rejects.toThrow('1 locks could not be swept');
    expect(acts).toEqual(['release SWEEP']);
  });

  it('sweeps the others when one fails', async () => {
    const { acts, dependencies } = setUp(concluded, -1, ['a', 'b']);
    const release = dependencies.locks.release;
    dependencies.locks.release = async (cluster, id) =>
      cluster === 'a' ? Promise.reject(new Error('no')) : release(cluster, id);
    await expect(sweep(dependencies)).rejects.toThrow();
    expect(acts).toEqual(['unlock b']);
  });
});
