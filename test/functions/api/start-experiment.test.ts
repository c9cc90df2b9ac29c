import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { clusterLocked } from '../../../functions/admission/checks.ts';
import { type StartDependencies, startExperiment } from '../../../functions/api/start-experiment.ts';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { problem } from '../../../functions/domain/problem.ts';
import type { ExperimentRun } from '../../../functions/domain/workflow.ts';
import type { Reservation } from '../../../functions/tables/reservations.ts';
import { CALLER, configuration, fakeClock, iso, logOf, seedPayload } from '../domain/fixtures.ts';

const ID = 'exp_chaos_redis_019';
const PLAN = [
  { faultId: `${ID}.1`, node: 'n', instanceId: 'i-1', startSeconds: 0, document: 'd', parameters: {}, undo: ['u'] },
];
const INJECTION = { injectedAt: iso(3), rollbackScheduledAt: iso(63) };

/** An in-memory control plane that writes down what was done, in order. */
function controlPlane() {
  const acts: string[] = [];
  const logs = new Map<string, [AuditEntry['type'], Record<string, unknown>][]>();
  const locks = new Map<string, { experimentId: string; requestId: string }>();
  const reservations = new Map<string, Reservation & { requestId: string }>();
  const runs: ExperimentRun[] = [];
  const leases = new Map<string, 'HOLD' | 'RELEASED'>();
  const clock = fakeClock();
  const dependencies: StartDependencies = {
    audit: {
      append: async (id, type, _actor, details) => {
        acts.push(type);
        logs.set(id, [...(logs.get(id) ?? []), [type, JSON.parse(JSON.stringify(details))]]);
        return logOf(id, ...(logs.get(id) ?? [])).at(-1) as AuditEntry;
      },
      read: async (id) => logOf(id, ...(logs.get(id) ?? [])),
    },
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
    admit: async () => ({ admitted: true, facts: { clusters: [], targets: [], irreversible: [] }, wouldRun: PLAN }),
    startExecution: async (run) => {
      acts.push('execution');
      runs.push(run);
      logs.get(ID)?.push(['INJECTING', {}], ['INJECTED', { ...INJECTION, injectedFaults: [`${ID}.1`] }]);
    },
    clusters: configuration().clusters,
    clock,
  };
  return { acts, logs, locks, reservations, runs, leases, clock, dependencies };
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
    expect(await start()).toEqual({ status: 202, body: { experimentId: ID, status: 'INJECTED', ...INJECTION } });
    expect(plane.acts).toEqual(['lock', 'reserve', 'ADMITTED', 'lease', 'execution']);
    expect(plane.runs[0]).toMatchObject({ experimentId: ID, caller: CALLER, rollbackOnly: false });
  });

  it('keeps the cluster for as long as the run may take, longer when a service has to begin and end the fault', async () => {
    const heldSeconds = async (body: object) => {
      let ends = 0;
      const take = async ({ endsByEpochSeconds }: { endsByEpochSeconds: number }) => {
        ends = endsByEpochSeconds;
        return true;
      };
      const before = plane.clock.nowEpochMs() / 1000;
      await start({ body }, { locks: { ...plane.dependencies.locks, take } });
      return ends - before;
    };
    // TTL, recovery, and the steps around them.
    expect(await heldSeconds(seedPayload())).toBe(60 + 60 + 240);
    plane = controlPlane();
    const stop = { ...seedPayload(), action: 'INSTANCE_STOP', parameters: { targetNodes: ['redis-node-3'] } };
    expect(await heldSeconds(stop)).toBe(60 + 60 + 240 + 300);
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

  it('records a refusal under the request and still refuses when that fails', async () => {
    const refused = problem('alarm-firing', 'not started');
    const admit = async () => ({ admitted: false as const, problem: refused });
    expect(await start({}, { admit })).toEqual({ status: 409, body: refused });
    expect([...plane.logs.keys()]).toEqual([`REFUSAL#request-${requests}`]);
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
    expect(await start({}, { startExecution: fail })).toMatchObject({ status: 503 });
    expect(plane.leases.get(ID)).toBe('RELEASED');
    expect(plane.locks.size).toBe(1);
  });

  it('answers ACCEPTED without a time when the fault is not there within 20 s', async () => {
    expect(await start({}, { startExecution: async () => {} })).toEqual({
      status: 202,
      body: { experimentId: ID, status: 'ACCEPTED' },
    });
    expect(plane.clock.monotonicMs()).toBeGreaterThanOrEqual(20_000);
    expect(plane.clock.monotonicMs()).toBeLessThan(21_000);
  });

  it('tells the truth when the run turned back before the injection', async () => {
    const startExecution = async () => {
      plane.logs.get(ID)?.push(['ROLLING_BACK', { reason: 'SteadyStateNotMet' }]);
    };
    expect(await start({}, { startExecution })).toMatchObject({ status: 202, body: { status: 'ROLLING_BACK' } });
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
    const repeated = start({}, { admit, clock: { ...plane.clock, sleep: async () => goOn() } });
    expect(await repeated).toEqual(await first);
    expect(plane.runs).toHaveLength(1);
  });

  it('answers that it is being started when the first request does not come to its reservation, and keeps its lock', async () => {
    plane.locks.set('redis-master', { experimentId: ID, requestId: 'first' });
    expect(await start()).toMatchObject({ status: 503, body: { detail: expect.stringContaining('being started') } });
    expect(plane.locks.get('redis-master')?.requestId).toBe('first');
    expect(plane.clock.monotonicMs()).toBeLessThan(5_000);
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
