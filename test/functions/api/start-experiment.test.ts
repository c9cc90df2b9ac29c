import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { type StartDependencies, startExperiment } from '../../../functions/api/start-experiment.ts';
import type { PlannedAct } from '../../../functions/domain/admission.ts';
import { clusterLocked, problem } from '../../../functions/domain/problem.ts';
import {
  DUPLICATE_WAIT_MS,
  FIS_OVERHEAD_SECONDS,
  INJECTED_WAIT_MS,
  RUN_OVERHEAD_SECONDS,
} from '../../../functions/domain/timing.ts';
import type { ExperimentRun } from '../../../functions/domain/workflow.ts';
import type { Lock } from '../../../functions/tables/locks.ts';
import type { Reservation } from '../../../functions/tables/reservations.ts';
import { configuration, redisCluster } from '../domain/configuration-fixtures.ts';
import { seedPayload } from '../domain/experiment-fixtures.ts';
import { CALLER, detailsOf, iso } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const ID = 'exp_chaos_redis_019';
/** A start is polled for; one look may still come after the time is over. */
const POLLS_MS = 1000;
const PLAN: PlannedAct[] = [
  { faultId: `${ID}.1`, node: 'n', instanceId: 'i-1', startSeconds: 0, document: 'd', parameters: {}, undo: ['u'] },
];
const { facts } = detailsOf('ADMITTED');
const STEP = { function: 'inject-fault' };

/** An in-memory control plane that writes down what the route did, in order. */
function controlPlane() {
  const acts: string[] = [];
  const locks = new Map<string, { experimentId: string; requestId: string }>();
  const reservations = new Map<string, Reservation & { requestId: string }>();
  const runs: ExperimentRun[] = [];
  const leases = new Map<string, 'HOLD' | 'RELEASED'>();
  const clock = new SimulatedClock();
  const audit = memoryAuditLog({
    clock,
    onAppend: ({ type, actor }) => {
      if ('arn' in actor) acts.push(type);
    },
  });
  const dependencies: StartDependencies = {
    audit,
    leases: {
      killSwitchEngaged: async () => false,
      create: async (id) => {
        acts.push('lease');
        leases.set(id, 'HOLD');
      },
      read: async () => undefined,
      release: async (id) => {
        acts.push('released');
        leases.set(id, 'RELEASED');
      },
    },
    locks: {
      take: async ({ cluster, experimentId }, requestId) => {
        const held = locks.get(cluster);
        if (held && held.requestId !== requestId) return false;
        acts.push('lock');
        locks.set(cluster, { experimentId, requestId });
        return true;
      },
      giveBack: async (cluster, requestId) => locks.get(cluster)?.requestId === requestId && locks.delete(cluster),
      holder: async (cluster) => locks.get(cluster)?.experimentId,
    },
    reservations: {
      find: async (id) => reservations.get(id),
      reserve: async (reservation, requestId) => {
        if (reservations.has(reservation.experimentId)) return false;
        acts.push('reserve');
        reservations.set(reservation.experimentId, { ...reservation, requestId });
        return true;
      },
      cancel: async (id, requestId) => reservations.get(id)?.requestId === requestId && reservations.delete(id),
    },
    admit: async () => ({ admitted: true, facts, wouldRun: PLAN }),
    executions: {
      start: async (_name, started) => {
        acts.push('execution');
        runs.push(started);
        await audit.append(ID, 'INJECTING', STEP, detailsOf('INJECTING'));
        await audit.append(ID, 'INJECTED', STEP, detailsOf('INJECTED'));
      },
    },
    clusters: configuration().clusters,
    clock,
  };
  return { acts, audit, locks, reservations, runs, leases, clock, dependencies };
}

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
      requestId: `request-${++requests}`,
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
    plane.locks.set('redis-master', { experimentId: 'exp_other', requestId: 'x' });
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
    expect(plane.audit.entries).toMatchObject([{ experimentId: `REFUSAL#request-${requests}`, type: 'REFUSED' }]);
    const audit = { ...plane.dependencies.audit, append: fail };
    expect(await start({}, { admit, audit })).toEqual({ status: 409, body: refused });
    expect(plane.reservations.size + plane.locks.size + plane.runs.length).toBe(0);
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
    const first = start({}, { reservations: slow });
    await setImmediate();
    expect(plane.locks.get('redis-master')?.experimentId).toBe(ID);

    // Admission sees the lock of the first request: that is no other experiment.
    const admit = async () => ({ admitted: false as const, problem: clusterLocked('redis-master', ID) });
    const clock = {
      nowEpochMs: () => plane.clock.nowEpochMs(),
      monotonicMs: () => plane.clock.monotonicMs(),
      sleep: async () => {
        goOn();
        await first;
      },
    };
    const repeated = start({}, { admit, clock });
    expect(await repeated).toEqual(await first);
    expect(plane.runs).toHaveLength(1);
  });

  it('answers that it is being started when the first request does not come to its reservation, and keeps its lock', async () => {
    plane.locks.set('redis-master', { experimentId: ID, requestId: 'first' });
    expect(await start()).toMatchObject({ status: 503, body: { detail: expect.stringContaining('being started') } });
    expect(plane.locks.get('redis-master')?.requestId).toBe('first');
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
