import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { NEXT_STEP_MS } from '../../../functions/domain/timing.ts';
import type { ExperimentRun } from '../../../functions/domain/workflow.ts';
import { type SweepDependencies, sweep } from '../../../functions/rollback/sweep.ts';
import { EPOCH_MS, fullRun, iso, logAfter, runUntil } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';

const ID = 'exp_chaos_redis_019';

/** @param ends when the run is over: seconds from now, or a text */
function setUp(entries: AuditEntry[] | Error, ends: number | string, clusters = ['redis-master']) {
  const endsIn = typeof ends === 'number' ? iso(ends) : ends;
  const acts: string[] = [];
  const runs: ExperimentRun[] = [];
  const dependencies: SweepDependencies = {
    locks: {
      list: async () => clusters.map((cluster) => ({ cluster, experimentId: ID, endsAt: endsIn })),
      release: async (cluster) => {
        acts.push(`unlock ${cluster}`);
        return true;
      },
    },
    audit: {
      readToDecideRollback: async () => {
        if (entries instanceof Error) throw entries;
        return entries;
      },
    },
    leases: {
      release: async (_id, reason) => {
        acts.push(`release ${reason}`);
      },
    },
    executions: {
      start: async (name, run) => {
        acts.push(`start ${name}`);
        runs.push(run);
      },
      ended: async () => false,
    },
    clock: new SimulatedClock(),
  };
  return { acts, runs, dependencies };
}

const concluded = fullRun({ CONCLUDED: {} });
const dead = runUntil('INJECTED');

describe('the sweep', () => {
  it('releases the lease of what is past its end and rolls it back', async () => {
    const { acts, runs, dependencies } = setUp(dead, -1);
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'rollback started' });
    expect(acts).toEqual(['release SWEEP', `start ${ID}-sweep-${Math.floor(EPOCH_MS / 60_000)}`]);
    expect(runs[0]).toMatchObject({ experimentId: ID, rollbackOnly: true, experiment: { experimentId: ID } });
  });

  it('starts a rollback however many targets there are: they stay in the log', async () => {
    expect(dead.some(({ type }) => type === 'TARGETS_RESOLVED')).toBe(true);
    const { runs, dependencies } = setUp(dead, -1);
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
    dependencies.executions.ended = async (name) => name === ID;
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'rollback started' });
    expect(acts[0]).toBe('release SWEEP');
  });

  it('leaves an experiment its time when nobody knows of its execution', async () => {
    const { acts, dependencies } = setUp(dead, 1);
    dependencies.executions.ended = () => Promise.reject(new Error('throttled'));
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'within its time' });
    expect(acts).toEqual([]);
  });

  it('asks for the execution before it reads the log, so that a run that just ended well is left alone', async () => {
    const { acts, dependencies } = setUp(dead, 1);
    let ended = false;
    dependencies.executions.ended = async () => {
      ended = true;
      return true;
    };
    dependencies.audit.readToDecideRollback = async () => (ended ? concluded : dead);
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'lock freed' });
    expect(acts).toEqual(['unlock redis-master']);
  });

  describe('after a rollback that failed', () => {
    const failed = fullRun({
      ...{ ROLLED_BACK: undefined, RECOVERY_VERIFIED: undefined, ROLLBACK_FAILED: {}, RECOVERY_FAILED: {} },
      CONCLUDED: { status: 'ROLLBACK_FAILED', outcome: 'INCONCLUSIVE' },
    });
    /** So many milliseconds after the last entry. */
    const sweepAfter = async (entries: AuditEntry[], ms: number) => {
      const { acts, dependencies } = setUp(entries, 1000);
      dependencies.clock = new SimulatedClock(Date.parse(entries.at(-1)?.at ?? '') + ms);
      return { ...(await sweep(dependencies)), acts };
    };

    it('keeps the lock and tries again', async () => {
      const { acts, ...done } = await sweepAfter(failed, 20_000);
      expect(done).toEqual({ 'redis-master': 'rollback started' });
      expect(acts.some((act) => act.startsWith('unlock'))).toBe(false);
    });

    it('tries again no sooner than the one under way can have ended', async () => {
      const begun = logAfter(failed, ['ROLLING_BACK']);
      expect(await sweepAfter(begun, NEXT_STEP_MS.rollBack - 1)).toMatchObject({
        'redis-master': 'rollback under way',
      });
      expect(await sweepAfter(begun, NEXT_STEP_MS.rollBack)).toMatchObject({ 'redis-master': 'rollback started' });
      const again = logAfter(begun, ['ROLLED_BACK']);
      expect(await sweepAfter(again, NEXT_STEP_MS.verifyRecovery - 1)).toMatchObject({
        'redis-master': 'rollback under way',
      });
    });

    it('frees the lock only behind a rollback that succeeded and a store that recovered', async () => {
      const recovered = logAfter(failed, ['ROLLED_BACK'], ['RECOVERY_VERIFIED']);
      expect(await sweepAfter(recovered, 0)).toEqual({ 'redis-master': 'lock freed', acts: ['unlock redis-master'] });
      const sick = logAfter(failed, ['ROLLED_BACK'], ['RECOVERY_FAILED']);
      expect(await sweepAfter(sick, 0)).toMatchObject({ 'redis-master': 'rollback started' });
    });
  });

  it('treats an end that is no time as passed', async () => {
    const { acts, dependencies } = setUp(dead, 'soon');
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

  it('sends no second rollback while one is under way, but releases the lease again', async () => {
    const { acts, dependencies } = setUp(runUntil('ROLLING_BACK'), -1);
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'rollback under way' });
    expect(acts).toEqual(['release SWEEP']);
  });

  it('releases the lease although the log cannot be read, and fails loudly', async () => {
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
