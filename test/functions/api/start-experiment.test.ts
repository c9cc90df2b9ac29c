import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { type StartDependencies, startExperiment } from '../../../functions/api/start-experiment.ts';
import type { Topic } from '../../../functions/aws/topics.ts';
import type { Clock } from '../../../functions/domain/clock.ts';
import type { KillSwitch } from '../../../functions/domain/kill-switch.ts';
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
import { seedExperiment, seedPayload } from '../domain/experiment-fixtures.ts';
import { CALLER, iso } from '../domain/fixtures.ts';
import { controlPlane, ID, PLAN, STEP, TOPIC_ARN } from './control-plane.ts';

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

  describe('in production, where starts are announced', () => {
    const announcing = (leadSeconds = 0, topic: Partial<Topic> = {}): Partial<StartDependencies> => ({
      announcer: { ...plane.dependencies.announcer, announce: { leadSeconds, alsoClusters: [] }, ...topic },
    });

    it('tells people before it is admitted, and keeps in the log by which message', async () => {
      expect(await start({}, announcing())).toMatchObject({ status: 202, body: { status: 'INJECTED' } });
      expect(plane.acts).toEqual(['lock', 'reserve', 'announce', 'ADMITTED', 'ANNOUNCED', 'lease', 'execution']);
      expect(plane.messages[0]?.body).toContain(`By ${CALLER.arn}`);
      expect(plane.audit.detailsOf('ANNOUNCED')).toEqual([
        { topicArn: TOPIC_ARN, messageId: 'message-1', startsAt: iso(0) },
      ]);
      expect(plane.runs[0]).not.toHaveProperty('startsAt');
    });

    it('answers at once with the time of a start that was announced ahead, and holds the cluster for longer', async () => {
      const endsAt: string[] = [];
      const take: StartDependencies['locks']['take'] = async (lock) => endsAt.push(lock.endsAt) > 0;
      const locks = { ...plane.dependencies.locks, take };
      const answer = await start({}, { ...announcing(300), locks });
      expect(answer).toEqual({ status: 202, body: { experimentId: ID, status: 'ACCEPTED', startsAt: iso(300) } });
      expect(plane.runs[0]).toMatchObject({ startsAt: iso(300) });
      plane = controlPlane();
      await start({}, { locks });
      expect(Date.parse(endsAt[0] ?? '') - Date.parse(endsAt[1] ?? '')).toBe(300_000);
    });

    it.each<[string, Partial<Topic>]>([
      ['SNS does not take it', { publish: () => Promise.reject(new Error('sns is down')) }],
      ['nobody is subscribed', { countSubscribers: async () => 0 }],
      ['nobody knows who is subscribed', { countSubscribers: async () => Number.NaN }],
      ['the number of subscribers cannot be read', { countSubscribers: fail }],
      ['SNS does not answer', { publish: () => new Promise(() => {}) }],
    ])('refuses, and gives everything back, when %s', async (_what, topic) => {
      expect(await start({}, announcing(0, topic))).toMatchObject({
        status: 503,
        body: { type: 'urn:holdfast:problem:announcement-not-delivered' },
      });
      expect([plane.locks.size, plane.reservations.size, plane.leases.size, plane.runs.length]).toEqual([0, 0, 0, 0]);
      expect(plane.audit.detailsOf('ADMITTED')).toEqual([]);
      expect(plane.audit.detailsOf('REFUSED')).toHaveLength(1);
      // Nothing stands in the way of the next try.
      expect(await start({}, announcing())).toMatchObject({ status: 202 });
    });

    it('starts nothing when it cannot be written that people were told', async () => {
      const append: StartDependencies['audit']['append'] = (id, type, actor, details) =>
        type === 'ANNOUNCED' ? fail() : plane.audit.append(id, type, actor, details);
      const audit = { ...plane.audit, append };
      expect(await start({}, { ...announcing(), audit })).toMatchObject({ status: 503 });
      expect(plane.runs).toEqual([]);
    });

    it('takes an announcement back when nothing can be admitted after it, or when its answer is lost', async () => {
      const append: StartDependencies['audit']['append'] = (id, type, actor, details) =>
        type === 'ADMITTED' ? fail() : plane.audit.append(id, type, actor, details);
      await start({}, { ...announcing(), audit: { ...plane.audit, append } });
      const subjects = () => plane.messages.map(({ subject }) => subject);
      expect(subjects()).toEqual([expect.stringContaining('announced'), expect.stringContaining('not started')]);
      plane = controlPlane();
      const { publish } = plane.dependencies.announcer;
      let calls = 0;
      const lost: Topic['publish'] = async (notice) => {
        const answer = await publish(notice);
        calls += 1;
        return calls === 1 ? fail() : answer;
      };
      await start({}, announcing(0, { publish: lost }));
      expect(subjects()).toEqual([expect.stringContaining('announced'), expect.stringContaining('not started')]);
    });

    it('announces no dry run, and nothing on a cluster that is not in production', async () => {
      await start({ dryRun: true }, announcing());
      const admit: StartDependencies['admit'] = async (requested) => {
        const admission = await plane.dependencies.admit(requested, CALLER);
        if (!admission.admitted) return admission;
        const clusters = admission.facts.clusters.map((cluster) => ({ ...cluster, tier: 'staging' as const }));
        return { ...admission, facts: { ...admission.facts, clusters } };
      };
      expect(await start({}, { ...announcing(), admit })).toMatchObject({ status: 202 });
      expect(plane.messages).toEqual([]);
    });
  });

  it('gives the stored answer to the same request and starts nothing', async () => {
    const first = await start();
    const reordered = Object.fromEntries(Object.entries(seedPayload()).reverse());
    expect(await start({ body: reordered })).toEqual(first);
    expect(plane.runs).toHaveLength(1);
  });

  describe('whose nodes are chosen by roles', () => {
    const master = { role: 'master', of: 'shard-1' };
    const parameters = { ...seedPayload().parameters, targetPartitionGroupB: [master] };
    const byRole = { ...seedPayload(), parameters };
    /** Who leads the shard when admission looks. */
    const admits =
      (node: string): StartDependencies['admit'] =>
      async (requested) => ({
        ...(await plane.dependencies.admit(seedExperiment(), CALLER)),
        experiment: {
          ...seedExperiment(),
          faults: seedExperiment().faults.map((fault) => ({
            ...fault,
            impactedNodes: [node],
            parameters: { ...fault.parameters, targetPartitionGroupB: [node] } as typeof fault.parameters,
            chosenBy: [{ field: 'targetPartitionGroupB', selector: master, nodes: [node] }],
          })),
          experimentId: requested.experimentId,
        },
      });

    it('admits, reserves and runs names, shows them in a dry run, and nowhere a role without its node', async () => {
      const admit = admits('redis-node-3');
      const fault = { impactedNodes: ['redis-node-3'], parameters: { targetPartitionGroupB: ['redis-node-3'] } };
      expect((await start({ body: byRole, dryRun: true }, { admit })).body).toMatchObject({
        experiment: { faults: [{ ...fault, chosenBy: [{ nodes: ['redis-node-3'] }] }] },
      });
      await start({ body: byRole }, { admit });
      const [admitted] = plane.audit.detailsOf('ADMITTED');
      for (const experiment of [admitted?.experiment, plane.runs[0]?.experiment, plane.reservations.get(ID)?.request]) {
        expect(experiment).toMatchObject({ faults: [{ ...fault, chosenBy: [{ nodes: ['redis-node-3'] }] }] });
      }
    });

    it('gives the same request the stored answer although the role moved meanwhile', async () => {
      const first = await start({ body: byRole }, { admit: admits('redis-node-3') });
      expect(await start({ body: byRole }, { admit: admits('redis-node-1') })).toEqual(first);
      expect(plane.runs).toHaveLength(1);
      const named = { ...seedPayload(), parameters: { ...parameters, targetPartitionGroupB: ['redis-node-3'] } };
      expect(await start({ body: named })).toMatchObject({ status: 409 });
    });

    it('is recorded as it was asked for when it is refused', async () => {
      const admit = async () => ({ admitted: false, problem: problem('unknown-node', 'not started') }) as const;
      expect((await start({ body: byRole }, { admit })).status).toBe(422);
      expect(plane.audit.detailsOf('REFUSED')[0]?.experiment?.faults[0]?.parameters).toMatchObject({
        targetPartitionGroupB: [{ role: 'master', of: 'shard-1' }],
      });
    });
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
    const engagement = { by: 'arn:aws:iam::1:user/a', at: '2026-05-29T13:12:00.000Z', reason: 'a bad release' };
    expect(await start({}, { switches: { read: async () => [{ engaged: true, engagement }] } })).toMatchObject({
      status: 409,
      body: { engagement, detail: expect.stringMatching(/user\/a at 2026.*: a bad release$/) },
    });
    expect(await start({}, { switches: { read: fail } })).toMatchObject({ status: 503 });
    expect(plane.acts).not.toContain('lock');
    expect(plane.runs).toHaveLength(0);
  });

  it('tells a request that is repeated under an engaged kill switch what became of the first, and starts nothing', async () => {
    const switches = { read: async () => [{ engaged: true }] };
    const first = await start();
    expect(first.status).toBe(202);
    const before = [...plane.acts];
    expect(await start({}, { switches })).toEqual(first);
    expect(await start({ body: { ...seedPayload(), durationSeconds: 30 } }, { switches })).toMatchObject({
      status: 409,
      body: { title: expect.stringMatching(/another request/) },
    });
    expect(
      await start({}, { switches, reservations: { ...plane.dependencies.reservations, find: fail } }),
    ).toMatchObject({
      body: { type: 'urn:holdfast:problem:kill-switch-engaged' },
    });
    expect(plane.acts.filter((act) => ['lock', 'admit', 'execution'].includes(act))).toEqual(
      before.filter((act) => ['lock', 'admit', 'execution'].includes(act)),
    );
    expect(plane.runs).toHaveLength(1);
  });

  describe('under a kill switch that was turned while it was admitted', () => {
    const armed: KillSwitch[] = [
      { engaged: false },
      { cluster: 'redis-master', engaged: false, lastReArmed: { at: iso(0) } },
    ];
    /** @param found when the locks are taken; before it is admitted they are armed */
    const startWhen = (found: () => Promise<KillSwitch[]>) =>
      start({}, { switches: { read: () => (plane.acts.includes('lock') ? found() : Promise.resolve(armed)) } });

    it.each<[string, KillSwitch, RegExp]>([
      ['is engaged', { engaged: true, engagement: { reason: 'a bad release' } }, /engaged.*a bad release/],
      ['was engaged and re-armed', { engaged: false, lastReArmed: { at: iso(1) } }, /engaged while this was admitted/],
      [
        'of its cluster was engaged and re-armed',
        { cluster: 'redis-master', engaged: false, lastReArmed: { at: iso(1) } },
        /engaged while this was admitted/,
      ],
    ])('is refused, and gives back what it took, when it %s', async (_what, found, detail) => {
      expect(await startWhen(async () => [found])).toMatchObject({
        status: 409,
        body: { type: 'urn:holdfast:problem:kill-switch-engaged', detail: expect.stringMatching(detail) },
      });
      expect(plane.runs).toEqual([]);
      expect(plane.locks.size).toBe(0);
      expect(plane.reservations.size).toBe(0);
      expect(plane.acts).not.toContain('ADMITTED');
    });

    it('is refused when nobody knows', async () => {
      expect(await startWhen(fail)).toMatchObject({ status: 503 });
      expect(plane.runs).toEqual([]);
      expect(plane.locks.size).toBe(0);
    });

    it('starts when it was re-armed just before it was asked for', async () => {
      expect(await startWhen(async () => armed)).toMatchObject({ status: 202 });
    });
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
    // The other one may be answered before the fault is in place.
    for (const answer of answers) expect(answer).toMatchObject({ status: 202, body: { experimentId: ID } });
    expect(answers.map(({ body }) => (body as { status: string }).status)).toContain('INJECTED');
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
