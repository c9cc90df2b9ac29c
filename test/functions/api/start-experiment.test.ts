import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { type StartDependencies, startExperiment } from '../../../functions/api/start-experiment.ts';
import type { Clock } from '../../../functions/domain/clock.ts';
import { MAX_PROBLEM_BYTES } from '../../../functions/domain/limits.ts';
import { clusterLocked, type Problem, problem } from '../../../functions/domain/problem.ts';
import {
  DUPLICATE_WAIT_MS,
  FIS_OVERHEAD_SECONDS,
  INJECTED_WAIT_MS,
  RUN_OVERHEAD_SECONDS,
} from '../../../functions/domain/timing.ts';
import type { Lock } from '../../../functions/tables/locks.ts';
import { redisCluster } from '../domain/configuration-fixtures.ts';
import { seedPayload } from '../domain/experiment-fixtures.ts';
import { CALLER, iso } from '../domain/fixtures.ts';
import { controlPlane, ID, PLAN, STEP } from './control-plane.ts';

/** A start is polled for; one look may still come after the time is over. */
const POLLS_MS = 1000;

let plane: ReturnType<typeof controlPlane>;
beforeEach(() => {
  plane = controlPlane();
});

let requests = 0;
const start = (change: { body?: unknown; dryRun?: boolean } = {}, overrides: Partial<StartDependencies> = {}) =>
  startExperiment(
    {
      body: JSON.stringify(change.body ?? seedPayload()),
      dryRun: change.dryRun ?? false,
      caller: CALLER,
      ownerToken: `token-${++requests}`,
    },
    { ...plane.dependencies, ...overrides },
  );
const fail = async () => {
  throw new Error('no answer');
};

describe('starting an experiment', () => {
  it('locks, reserves and records before it starts, and answers INJECTED with its times', async () => {
    const times = { injectedAt: iso(3), rollbackScheduledAt: iso(63) };
    expect(await start()).toEqual({ status: 202, body: { experimentId: ID, status: 'INJECTED', ...times } });
    expect(plane.acts).toEqual(['lock', 'reserve', 'ADMITTED', 'lease', 'execution']);
    expect(plane.runs[0]).toMatchObject({ experimentId: ID, caller: CALLER, rollbackOnly: false });
  });

  it('keeps the cluster for as long as the run may take, longer when a service has to begin and end the fault', async () => {
    const heldSeconds = async (body: object) => {
      let endsAt = '';
      const take = async (lock: Lock) => {
        endsAt = lock.endsAt;
        return true;
      };
      const beforeMs = plane.clock.nowEpochMs();
      await start({ body }, { locks: { ...plane.dependencies.locks, take } });
      return (Date.parse(endsAt) - beforeMs) / 1000;
    };
    const { recoverySeconds } = redisCluster().budgets;
    const seconds = seedPayload().durationSeconds + recoverySeconds + RUN_OVERHEAD_SECONDS;
    expect(await heldSeconds(seedPayload())).toBe(seconds);
    plane = controlPlane();
    const stop = { ...seedPayload(), action: 'INSTANCE_STOP', parameters: { targetNodes: ['redis-node-3'] } };
    expect(await heldSeconds(stop)).toBe(seconds + FIS_OVERHEAD_SECONDS);
  });

  it('gives the stored answer to the same request and starts nothing', async () => {
    const first = await start();
    const reordered = Object.fromEntries(Object.entries(seedPayload()).reverse());
    expect(await start({ body: reordered })).toEqual(first);
    expect(plane.runs).toHaveLength(1);
  });

  it('refuses an id that was used for another request', async () => {
    await start();
    expect(await start({ body: { ...seedPayload(), durationSeconds: 61 } })).toMatchObject({
      status: 409,
      body: { type: 'urn:holdfast:problem:experiment-id-conflict' },
    });
    expect(plane.runs).toHaveLength(1);
  });

  it('refuses when another experiment holds the cluster, names it, and reserves nothing', async () => {
    plane.locks.set('redis-master', { experimentId: 'exp_other', ownerToken: 'x' });
    expect(await start()).toMatchObject({ status: 409, body: { heldBy: 'exp_other' } });
    expect(plane.reservations.size).toBe(0);
    expect(plane.locks.get('redis-master')?.experimentId).toBe('exp_other');
  });

  it('changes nothing in a dry run', async () => {
    expect(await start({ dryRun: true })).toMatchObject({
      status: 200,
      body: { dryRun: true, admitted: true, wouldRun: PLAN },
    });
    expect(plane.acts).toEqual([]);
  });

  it('shows in a dry run the shard and the role of a node that has a part in one shard', async () => {
    const { body } = await start({ dryRun: true });
    const shown = {
      name: 'redis-node-3',
      shard: 'shard-1',
      role: 'master',
      roles: [{ shard: 'shard-1', role: 'master' }],
    };
    expect(body).toMatchObject({ facts: { targets: [{ impacted: [shown] }] } });
  });

  it('records a refusal under the request and still refuses when that fails', async () => {
    const refused = problem('alarm-firing', 'not started');
    const admit = async () => ({ admitted: false as const, problem: refused });
    expect(await start({}, { admit })).toEqual({ status: 409, body: refused });
    expect(plane.audit.entries).toMatchObject([{ experimentId: `REFUSAL#token-${requests}`, type: 'REFUSED' }]);
    const audit = { ...plane.dependencies.audit, append: fail };
    expect(await start({}, { admit, audit })).toEqual({ status: 409, body: refused });
    expect(plane.reservations.size + plane.locks.size + plane.runs.length).toBe(0);
  });

  it('records a refusal that speaks of a thousand nodes, and answers it, with how much was left out', async () => {
    const errors = Array.from({ length: 1000 }, (_, number) => ({
      ...{ field: `x-${number}`, message: 'is not a running instance', allowed: 'redis-node-1, '.repeat(60) },
    }));
    const admit = async () => ({ admitted: false as const, problem: problem('unknown-node', 'no', { errors }) });
    const { status, body } = await start({}, { admit });
    expect(status).toBe(422);
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(MAX_PROBLEM_BYTES);
    expect(body).toMatchObject({ leftOut: { errors: 1000 - ((body as Problem).errors?.length ?? 0) } });
    expect(plane.audit.detailsOf('REFUSED')).toMatchObject([{ problem: body }]);
  });

  it('refuses to start when the kill switch is engaged or cannot be read', async () => {
    const { leases } = plane.dependencies;
    expect(await start({}, { leases: { ...leases, killSwitchEngaged: async () => true } })).toMatchObject({
      status: 409,
    });
    expect(await start({}, { leases: { ...leases, killSwitchEngaged: fail } })).toMatchObject({ status: 503 });
    expect(plane.runs).toHaveLength(0);
  });

  it('refuses to start when admission does not answer', async () => {
    expect(await start({}, { admit: fail })).toMatchObject({ status: 503 });
    expect(plane.locks.size).toBe(0);
  });

  it('gives locks and id back when the audit entry cannot be written', async () => {
    const audit = { ...plane.dependencies.audit, append: fail };
    expect(await start({}, { audit })).toMatchObject({ status: 503 });
    expect(plane.locks.size + plane.reservations.size + plane.runs.length).toBe(0);
  });

  it('frees the cluster even when the id cannot be given back, and never calls that start accepted', async () => {
    const audit = { ...plane.dependencies.audit, append: fail };
    const reservations = { ...plane.dependencies.reservations, cancel: fail };
    expect(await start({}, { audit, reservations })).toMatchObject({ status: 503 });
    expect(plane.locks.size).toBe(0);
    expect(await start()).toMatchObject({ status: 503 });
    expect(plane.runs).toHaveLength(0);
  });

  it('gives the id back when nobody knows whether it was reserved', async () => {
    const { reserve } = plane.dependencies.reservations;
    const lost = async (...args: Parameters<typeof reserve>) => {
      await reserve(...args);
      throw new Error('no answer');
    };
    const reservations = { ...plane.dependencies.reservations, reserve: lost };
    expect(await start({}, { reservations })).toMatchObject({ status: 503 });
    expect(plane.reservations.size + plane.locks.size).toBe(0);
  });

  it('keeps locks and id for the sweep when nobody knows whether the audit entry was written', async () => {
    const audit = { append: fail, read: fail };
    expect(await start({}, { audit })).toMatchObject({ status: 503 });
    expect(plane.locks.size).toBe(1);
    expect(plane.reservations.size).toBe(1);
  });

  it('releases the lease and keeps the locks when the execution may or may not have been started', async () => {
    expect(await start({}, { executions: { start: fail } })).toMatchObject({ status: 503 });
    expect(plane.leases.get(ID)).toBe('RELEASED');
    expect(plane.locks.size).toBe(1);
  });

  it('answers ACCEPTED without a time when the fault is not there in time', async () => {
    expect(await start({}, { executions: { start: async () => {} } })).toEqual({
      status: 202,
      body: { experimentId: ID, status: 'ACCEPTED' },
    });
    expect(plane.clock.monotonicMs()).toBeGreaterThanOrEqual(INJECTED_WAIT_MS);
    expect(plane.clock.monotonicMs()).toBeLessThan(INJECTED_WAIT_MS + POLLS_MS);
  });

  it('tells the truth when the run turned back before the injection', async () => {
    const turnBack = async () => {
      await plane.audit.append(ID, 'ROLLING_BACK', STEP, { reason: 'ROLLBACK', detail: 'SteadyStateNotMet' });
    };
    expect(await start({}, { executions: { start: turnBack } })).toMatchObject({
      status: 202,
      body: { status: 'ROLLING_BACK' },
    });
  });

  it('starts one of two simultaneous requests with one id', async () => {
    const answers = await Promise.all([start(), start()]);
    expect(plane.runs).toHaveLength(1);
    expect(answers).toEqual([answers[1], answers[0]]);
    expect(answers[0]?.status).toBe(202);
    expect(plane.locks.size).toBe(1);
  });

  it('gives a request that is repeated while it is between lock and reservation its own answer', async () => {
    const { reserve } = plane.dependencies.reservations;
    let goOn = () => {};
    const locked = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slow = {
      ...plane.dependencies.reservations,
      reserve: async (...args: Parameters<typeof reserve>) => {
        await locked;
        return reserve(...args);
      },
    };
    const clockWith = (poll: () => Promise<void>): Clock => ({
      nowEpochMs: () => plane.clock.nowEpochMs(),
      monotonicMs: () => plane.clock.monotonicMs(),
      // No time limit is ever reached, and a poll waits for what it is told to wait for.
      sleep: (_milliseconds, signal) => (signal ? new Promise(() => {}) : poll()),
    });
    const first = start({}, { reservations: slow, clock: clockWith(async () => {}) });
    await setImmediate();
    expect(plane.locks.get('redis-master')?.experimentId).toBe(ID);

    // Admission sees the lock of the first request: that is no other experiment.
    const admit = async () => ({ admitted: false as const, problem: clusterLocked('redis-master', ID) });
    const clock = clockWith(async () => {
      goOn();
      await first;
    });
    const repeated = start({}, { admit, clock });
    expect(await repeated).toEqual(await first);
    expect(plane.runs).toHaveLength(1);
  });

  it('answers that it is being started when the first request does not come to its reservation, and keeps its lock', async () => {
    plane.locks.set('redis-master', { experimentId: ID, ownerToken: 'first' });
    expect(await start()).toMatchObject({ status: 503, body: { detail: expect.stringContaining('being started') } });
    expect(plane.locks.get('redis-master')?.ownerToken).toBe('first');
    expect(plane.clock.monotonicMs()).toBeLessThan(DUPLICATE_WAIT_MS + POLLS_MS);
  });

  it('gives a lock back when nobody knows whether it was taken', async () => {
    const { take } = plane.dependencies.locks;
    const lost = async (...args: Parameters<typeof take>) => {
      await take(...args);
      throw new Error('no answer');
    };
    expect(await start({}, { locks: { ...plane.dependencies.locks, take: lost } })).toMatchObject({ status: 503 });
    expect(plane.locks.size).toBe(0);
  });
});
