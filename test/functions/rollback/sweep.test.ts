import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { NEXT_STEP_MS, ROLLBACK_BEGINS_MS } from '../../../functions/domain/timing.ts';
import type { ExperimentRun } from '../../../functions/domain/workflow.ts';
import { type SweepDependencies, sweep } from '../../../functions/rollback/sweep.ts';
import { EPOCH_MS, fullRun, iso, logAfter, runUntil } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

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
      ...memoryAuditLog(),
      readToDecideRollback: async () => {
        if (entries instanceof Error) throw entries;
        return entries;
      },
    },
    leases: {
      read: async () => undefined,
      release: async (_id, reason) => {
        acts.push(`release ${reason}`);
        return true;
      },
    },
    switches: { engaged: async () => undefined, read: async () => [] },
    clusters,
    topic: { publish: async () => ({ topicArn: '', messageId: '' }) },
    executions: {
      start: async (name, run) => {
        acts.push(`start ${name}`);
        runs.push(run);
      },
      ended: async () => false,
      stop: async (name) => {
        acts.push(`stop ${name}`);
      },
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

  describe('under a lease that was released', () => {
    const releasedAgo = (ms: number) =>
      leaseOf({ state: 'RELEASED', releasedAt: new Date(EPOCH_MS - ms).toISOString() });

    it('stops an execution that has not begun its rollback a minute later, and rolls back itself', async () => {
      const { acts, runs, dependencies } = setUp(dead, 1);
      dependencies.leases.read = async () => releasedAgo(ROLLBACK_BEGINS_MS);
      expect(await sweep(dependencies)).toEqual({ 'redis-master': 'rollback started' });
      expect(acts).toEqual(['release SWEEP', `stop ${ID}`, expect.stringMatching(/^start /)]);
      expect(runs[0]).toMatchObject({ rollbackOnly: true });
    });

    it('rolls back also when the execution cannot be stopped', async () => {
      const { acts, dependencies } = setUp(dead, 1);
      dependencies.leases.read = async () => releasedAgo(ROLLBACK_BEGINS_MS);
      dependencies.executions.stop = () => Promise.reject(new Error('throttled'));
      expect(await sweep(dependencies)).toEqual({ 'redis-master': 'rollback started' });
      expect(acts.at(-1)).toMatch(/^start /);
    });

    it('leaves an execution its minute', async () => {
      const { acts, dependencies } = setUp(dead, 1);
      dependencies.leases.read = async () => releasedAgo(ROLLBACK_BEGINS_MS - 1);
      expect(await sweep(dependencies)).toEqual({ 'redis-master': 'within its time' });
      expect(acts).toEqual([]);
    });

    it('never stops one whose rollback is under way, however long ago the release was', async () => {
      const begun = logAfter(dead, ['ROLLING_BACK']);
      const { acts, dependencies } = setUp(begun, 1);
      dependencies.clock = new SimulatedClock(Date.parse(begun.at(-1)?.at ?? '') + NEXT_STEP_MS.rollBack - 1);
      dependencies.leases.read = async () => releasedAgo(10 * ROLLBACK_BEGINS_MS);
      expect(await sweep(dependencies)).toEqual({ 'redis-master': 'rollback under way' });
      expect(acts.some((act) => act.startsWith('stop') || act.startsWith('start'))).toBe(false);
    });

    it('stops nothing of an experiment that has its verdict', async () => {
      const { acts, dependencies } = setUp(concluded, 1);
      dependencies.leases.read = async () => releasedAgo(10 * ROLLBACK_BEGINS_MS);
      expect(await sweep(dependencies)).toEqual({ 'redis-master': 'lock freed' });
      expect(acts).toEqual(['unlock redis-master']);
    });
  });

  describe('under an engaged kill switch', () => {
    const engagement = { by: 'somebody', at: iso(0), reason: 'x' };

    it('releases the lease that its guard still holds, and asks for the switch of that cluster', async () => {
      const { acts, dependencies } = setUp(dead, 1);
      dependencies.leases.read = async () => leaseOf();
      const asked: string[] = [];
      dependencies.switches.engaged = async (clusters) => {
        asked.push(...clusters);
        return { engaged: true, engagement };
      };
      expect(await sweep(dependencies)).toEqual({ 'redis-master': 'within its time' });
      expect([acts, asked]).toEqual([['release KILL_SWITCH'], ['redis-master']]);
    });

    it('decides by the time alone when the switch cannot be read', async () => {
      const { acts, dependencies } = setUp(dead, 1);
      dependencies.leases.read = async () => leaseOf();
      dependencies.switches.engaged = () => Promise.reject(new Error('throttled'));
      expect(await sweep(dependencies)).toEqual({ 'redis-master': 'within its time' });
      expect(acts).toEqual([]);
    });
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

  it('puts an engaged switch on record whatever becomes of the locks, and fails loudly when either cannot be done', async () => {
    const { dependencies } = setUp(dead, 1);
    const audit = memoryAuditLog();
    dependencies.audit = { ...dependencies.audit, append: audit.append, latest: audit.latest };
    dependencies.switches.read = async () => [{ engaged: true, engagement: {} }];
    dependencies.locks.list = () => Promise.reject(new Error('no locks'));
    await expect(sweep(dependencies)).rejects.toThrow('no locks');
    expect(audit.entries).toMatchObject([{ experimentId: 'KILL_SWITCH#GLOBAL', type: 'KILL_SWITCH_ENGAGING' }]);
    dependencies.switches.read = () => Promise.reject(new Error('no switches'));
    dependencies.locks.list = async () => [];
    await expect(sweep(dependencies)).rejects.toThrow('no switches');
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
