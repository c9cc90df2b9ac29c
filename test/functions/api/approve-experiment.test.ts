import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { abortExperiment } from '../../../functions/api/abort-experiment.ts';
import { type ApproveDependencies, approveExperiment } from '../../../functions/api/approve-experiment.ts';
import { getExperiment, getExperimentStatus } from '../../../functions/api/get-experiment.ts';
import { startExperiment } from '../../../functions/api/start-experiment.ts';
import { approvalHash, identityOf } from '../../../functions/domain/approval.ts';
import type { Caller } from '../../../functions/domain/experiment.ts';
import { verifyChain } from '../../../functions/domain/hash-chain.ts';
import { problem } from '../../../functions/domain/problem.ts';
import { named, seedExperiment, seedPayload } from '../domain/experiment-fixtures.ts';
import { APPROVAL, APPROVER, CALLER, EPOCH_MS, FACTS } from '../domain/fixtures.ts';
import { controlPlane, ID, PLAN } from './control-plane.ts';
import { eachCall } from './each-call.ts';

const HASH = approvalHash(seedExperiment(), FACTS.targets);
const MINUTE_MS = 60_000;

let plane: ReturnType<typeof controlPlane>;
let dependencies: ApproveDependencies;
/** The nodes as admission sees them now. */
let targets: typeof FACTS.targets;
beforeEach(() => {
  plane = controlPlane();
  targets = FACTS.targets;
  dependencies = { ...plane.dependencies, principals: undefined, admit: admitAsking };
});

const admitAsking: ApproveDependencies['admit'] = async (requested, caller) => {
  const experiment = named(requested);
  const hash = approvalHash(experiment, targets);
  const approval = { ...APPROVAL, hash, mayNotApprove: identityOf(caller.arn) ?? '' };
  return { admitted: true, experiment, facts: { ...FACTS, targets, approval }, wouldRun: PLAN };
};
let tokens = 0;
const start = (change: { body?: object; caller?: Caller; dryRun?: boolean } = {}) =>
  startExperiment(
    {
      body: JSON.stringify(change.body ?? seedPayload()),
      ...{ dryRun: change.dryRun ?? false, caller: change.caller ?? CALLER, ownerToken: `token-${++tokens}` },
    },
    dependencies,
  );
const approve = (change: { caller?: Caller; hash?: unknown; body?: string; dryRun?: boolean; id?: string } = {}) =>
  approveExperiment(
    {
      ...{ experimentId: change.id ?? ID, dryRun: change.dryRun ?? false, caller: change.caller ?? APPROVER },
      ...{ body: change.body ?? JSON.stringify({ hash: change.hash ?? HASH }), ownerToken: `token-${++tokens}` },
    },
    dependencies,
  );
const typeOf = ({ body }: { body: object }) =>
  'type' in body ? String(body.type).replace('urn:holdfast:problem:', '') : '';
const later = (ms: number) => plane.clock.sleep(ms);

describe('a start on a cluster that asks for an approval', () => {
  it('starts nothing, holds no lock, and says what is to be approved by whom not', async () => {
    const answer = await start();
    expect(answer).toMatchObject({
      status: 202,
      body: { experimentId: ID, status: 'PENDING_APPROVAL', approval: { hash: HASH, mayNotApprove: CALLER.arn } },
    });
    expect(plane.acts).toEqual(['reserve', 'APPROVAL_REQUESTED']);
    expect([plane.locks.size, plane.leases.size, plane.runs]).toEqual([0, 0, []]);
  });

  it('gives the same request the same answer, and its id to no other one', async () => {
    const first = await start();
    expect(await start()).toEqual(first);
    expect(await start({ body: { ...seedPayload(), durationSeconds: 61 } })).toMatchObject({ status: 409 });
    expect(plane.acts).toEqual(['reserve', 'APPROVAL_REQUESTED', 'REFUSED']);
  });

  it('says in a dry run that an approval will be needed, and asks for none', async () => {
    expect(await start({ dryRun: true })).toMatchObject({
      status: 200,
      body: { facts: { approval: { hash: HASH, mayNotApprove: CALLER.arn, expiresMinutes: 60 } } },
    });
    expect(plane.acts).toEqual([]);
  });

  it('gives its id back when it could not be recorded, and keeps it when nobody knows', async () => {
    const append = async () => {
      throw new Error('no answer');
    };
    dependencies = { ...dependencies, audit: { ...plane.audit, append } };
    expect((await start()).status).toBe(503);
    expect(plane.reservations.size).toBe(0);
    dependencies = { ...dependencies, audit: { append, read: append } };
    expect((await start()).status).toBe(503);
    expect(plane.reservations.size).toBe(1);
  });

  it('is shown with what would be done, and where it stands', async () => {
    await start();
    const reading = { ...plane.dependencies, audit: plane.audit };
    expect((await getExperimentStatus(ID, reading)).body).toMatchObject({
      status: 'PENDING_APPROVAL',
      approval: { hash: HASH },
    });
    expect((await getExperiment(ID, reading)).body).toMatchObject({
      ...{ status: 'PENDING_APPROVAL', approval: { hash: HASH, mayNotApprove: CALLER.arn } },
      ...{
        experiment: { durationSeconds: 60 },
        targets: [{ impacted: [{ name: 'redis-node-3' }] }],
        chainVerified: true,
      },
    });
  });
});

describe('an approval', () => {
  beforeEach(() => start());

  it('by another person starts what was asked for, by its author, and is on record before it is admitted', async () => {
    expect(await approve()).toMatchObject({ status: 202, body: { experimentId: ID, status: 'INJECTED' } });
    expect(plane.acts.slice(2)).toEqual(['lock', 'reserve', 'APPROVED', 'ADMITTED', 'lease', 'execution']);
    expect(plane.runs).toMatchObject([{ experimentId: ID, caller: CALLER, rollbackOnly: false }]);
    const entries = await plane.audit.read(ID);
    expect(entries.find(({ type }) => type === 'APPROVED')).toMatchObject({ actor: APPROVER, details: { hash: HASH } });
    expect(verifyChain(entries)).toBeUndefined();
  });

  it('by its author is refused and recorded, in any session of his role', async () => {
    expect(await approve({ caller: CALLER })).toMatchObject({ status: 403 });
    expect(typeOf(await approve({ caller: CALLER }))).toBe('approval-refused');
    const role = (session: string) => ({ ...CALLER, arn: `arn:aws:sts::111122223333:assumed-role/sre/${session}` });
    plane = controlPlane();
    dependencies = { ...plane.dependencies, principals: undefined, admit: admitAsking };
    await start({ caller: role('ana') });
    expect(typeOf(await approve({ caller: role('ben') }))).toBe('approval-refused');
    expect(plane.audit.detailsOf('REFUSED')).toHaveLength(1);
    expect(plane.runs).toEqual([]);
  });

  it('given twice, at once or later, starts once and gets the same answer', async () => {
    const [one, other] = await Promise.all([approve(), approve()]);
    expect([one.status, other.status]).toEqual([202, 202]);
    const later = await approve();
    expect(later).toEqual(one);
    // The run is over and its cluster free: the approval was used all the same.
    plane.locks.clear();
    expect(await approve()).toEqual(one);
    expect(plane.runs).toHaveLength(1);
    expect(plane.audit.detailsOf('ADMITTED')).toHaveLength(1);
  });

  it('whose look at the log was overtaken by another one starts nothing more, also when the cluster is free again', async () => {
    const before = await plane.audit.read(ID);
    const first = await approve();
    plane.locks.clear();
    let looks = 0;
    const read = async (id: string) => (looks++ === 0 ? before : plane.audit.read(id));
    dependencies = { ...dependencies, audit: { ...plane.audit, read } };
    expect(await approve()).toEqual(first);
    expect(plane.runs).toHaveLength(1);
    expect(plane.audit.detailsOf('ADMITTED')).toHaveLength(1);
    expect(plane.locks.size).toBe(0);
  });

  it('of something else than what was shown is refused', async () => {
    expect(typeOf(await approve({ hash: 'b'.repeat(64) }))).toBe('approval-outdated');
    expect(plane.runs).toEqual([]);
  });

  it('is refused when its targets are not those any more, and good again when they are', async () => {
    targets = FACTS.targets.map((fault) => ({
      ...fault,
      impacted: fault.impacted.map((node) => ({ ...node, roles: [{ shard: 'shard-1', role: 'replica' }] })),
    }));
    const refused = await approve();
    expect([refused.status, typeOf(refused)]).toEqual([409, 'approval-outdated']);
    expect(plane.locks.size).toBe(0);
    targets = FACTS.targets;
    expect((await approve()).status).toBe(202);
  });

  it('is judged by all of admission once more, as of the author', async () => {
    let judged: Caller | undefined;
    dependencies = {
      ...dependencies,
      admit: async (_, caller) => {
        judged = caller;
        return { admitted: false, problem: problem('alarm-firing', 'not started: orders-5xx is ALARM') };
      },
    };
    expect(typeOf(await approve())).toBe('alarm-firing');
    expect(judged).toEqual(CALLER);
    expect(plane.runs).toEqual([]);
  });

  it('is refused after its time, and says when that was', async () => {
    await later(60 * MINUTE_MS);
    const late = await approve();
    expect([late.status, typeOf(late)]).toEqual([409, 'approval-over']);
    expect(JSON.stringify(late.body)).toContain(new Date(EPOCH_MS + 60 * MINUTE_MS).toISOString().slice(0, 16));
    expect(plane.runs).toEqual([]);
  });

  it('is refused after an abort, which needs no approval and is answered as what it is', async () => {
    expect(await abortExperiment(ID, CALLER, plane.abortDependencies)).toMatchObject({
      status: 202,
      body: { status: 'ABORTED', recorded: true },
    });
    expect(typeOf(await approve())).toBe('approval-over');
    expect(plane.runs).toEqual([]);
  });

  it('needs the right to start it: of cluster, kind and time as the table of rights says', async () => {
    dependencies = { ...dependencies, principals: [{ principal: APPROVER.arn, clusters: ['another'] }] };
    expect(typeOf(await approve())).toBe('not-permitted');
    dependencies = { ...dependencies, principals: [{ principal: APPROVER.arn }] };
    expect((await approve()).status).toBe(202);
  });

  it('gives it no more time than whoever approves has himself', async () => {
    // It is Friday, 13:12.
    const until = (end: string) => [
      { principal: APPROVER.arn, window: { daysOfWeek: ['FRI' as const], start: '13:00', end, timeZone: 'UTC' } },
    ];
    dependencies = { ...dependencies, principals: until('13:13') };
    expect(typeOf(await approve())).toBe('not-permitted');
    dependencies = { ...dependencies, principals: until('13:20') };
    expect((await approve()).status).toBe(202);
    expect(plane.audit.detailsOf('ADMITTED')).toMatchObject([
      { facts: { closing: { at: '2026-05-29T13:20:00.000Z', what: `the window of ${APPROVER.arn}` } } },
    ]);
  });

  it('is refused for longer than the cluster allows by now', async () => {
    const { 'redis-master': cluster } = plane.dependencies.clusters;
    if (!cluster) throw new Error('no cluster');
    dependencies = { ...dependencies, clusters: { 'redis-master': { ...cluster, maxDurationSeconds: 30 } } };
    expect(typeOf(await approve())).toBe('not-permitted');
  });

  it('shows in a dry run what it would start now, and starts nothing', async () => {
    expect(await approve({ dryRun: true, body: '' })).toMatchObject({
      status: 200,
      body: { dryRun: true, admitted: true, facts: { approval: { hash: HASH } }, wouldRun: PLAN },
    });
    expect(typeOf(await approve({ dryRun: true, caller: CALLER }))).toBe('approval-refused');
    expect(plane.runs).toEqual([]);
  });

  it.each([
    ['', '(body)'],
    ['{}', 'hash'],
    ['{"hash":"no"}', 'hash'],
    [`{"hash":"${HASH}","hash":"${HASH}"}`, 'hash'],
    [`{"hash":"${HASH}","also":1}`, 'also'],
  ])('with the body %s is a 400 that names the field', async (body, field) => {
    expect(await approve({ body })).toMatchObject({ status: 400, body: { errors: [{ field }] } });
    expect(plane.runs).toEqual([]);
  });

  it('of what is not there is a 404, and of what needed none a refusal', async () => {
    expect((await approve({ id: 'unknown' })).status).toBe(404);
    plane = controlPlane();
    dependencies = { ...plane.dependencies, principals: undefined };
    await start();
    expect(typeOf(await approve())).toBe('approval-over');
    expect(plane.runs).toHaveLength(1);
  });
});

describe('whatever comes between two calls of an approval', () => {
  it('an abort leaves no lease under which anything could be injected', async () => {
    const approveWithAbortBefore = async (nth: number) => {
      plane = controlPlane();
      dependencies = { ...plane.dependencies, principals: undefined, admit: admitAsking };
      await start();
      let calls = 0;
      const { principals, ...ports } = dependencies;
      const { append, read } = plane.audit;
      const between = eachCall({ ...ports, audit: { append, read } }, async () => {
        calls += 1;
        if (calls === nth) await abortExperiment(ID, CALLER, plane.abortDependencies);
      });
      dependencies = { ...between, principals };
      return { answer: await approve(), calls };
    };
    const { calls } = await approveWithAbortBefore(0);
    expect(calls).toBeGreaterThan(5);
    for (let nth = 1; nth <= calls; nth += 1) {
      await approveWithAbortBefore(nth);
      expect(plane.leases.get(ID), `before call ${nth}`).toBe('RELEASED');
      expect(plane.runs.length).toBeLessThanOrEqual(1);
    }
  });

  it('nothing else is ever started than what was shown to whoever approved', async () => {
    const node = fc.constantFrom('redis-node-3', 'redis-node-6', 'redis-node-9');
    await fc.assert(
      fc.asyncProperty(node, node, fc.boolean(), async (shown, later, approvesShown) => {
        const on = (name: string) =>
          FACTS.targets.map((fault) => ({ ...fault, impacted: fault.impacted.map((each) => ({ ...each, name })) }));
        plane = controlPlane();
        dependencies = { ...plane.dependencies, principals: undefined, admit: admitAsking };
        targets = on(shown);
        await start();
        targets = on(later);
        await approve({ hash: approvalHash(seedExperiment(), on(approvesShown ? shown : later)) });
        expect(plane.runs).toHaveLength(shown === later ? 1 : 0);
      }),
      { numRuns: 30 },
    );
  });
});
