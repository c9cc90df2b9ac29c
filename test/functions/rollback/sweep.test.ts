import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/audit/entry.ts';
import type { ExperimentRun } from '../../../functions/experiment/workflow.ts';
import { type SweepDependencies, sweep } from '../../../functions/rollback/sweep.ts';
import { EPOCH_MS, fakeClock, fullRun } from '../experiment/fixtures.ts';

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

  it('leaves alone what is within its time', async () => {
    const { acts, dependencies } = setUp(dead, 1);
    expect(await sweep(dependencies)).toEqual({ 'redis-master': 'within its time' });
    expect(acts).toEqual([]);
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
