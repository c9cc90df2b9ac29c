import * as z from 'zod';
import { refuseApprover } from '../domain/approval.ts';
import { approvalRequest, reasonOfEnd, requesterOf } from '../domain/approval-state.ts';
import type { EntryOf } from '../domain/audit-entry.ts';
import { beginsWithinSeconds, earliest } from '../domain/closing.ts';
import { type Caller, clustersOf, type RequestedExperiment } from '../domain/experiment.ts';
import { fieldErrors } from '../domain/field-errors.ts';
import { clusterErrors } from '../domain/parse-experiment.ts';
import { hoursOf, type PrincipalRow, refuseByRights, type Wish } from '../domain/principals.ts';
import { type FieldError, type Problem, problem } from '../domain/problem.ts';
import { invalidRequest, readBody } from '../domain/request-body.ts';
import { stateOf } from '../domain/status.ts';
import { type Answer, notFound, refusal } from './answer.ts';
import { type Begun, type StartDeadlines, unknown } from './begun.ts';
import { claim } from './claim.ts';
import { answerBegun, deadlinesOf, dryRunAnswer, readSwitches, type StartDependencies } from './start-experiment.ts';
import { acceptedBody } from './stored-answer.ts';

export interface ApproveRequest {
  experimentId: string;
  /** `{"hash"}`; of a dry run nothing is read. */
  body: string;
  dryRun: boolean;
  /** Who approves. */
  caller: Caller;
  /** As in `StartRequest`. */
  ownerToken: string;
}

export interface ApproveDependencies extends StartDependencies {
  principals: readonly PrincipalRow[] | undefined;
}

const bodySchema = z.strictObject({ hash: z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256 in hexadecimal') });
const BODY_FIELDS = {
  words: { hash: 'the hash that the dry run of the approval showed, 64 hexadecimal digits' },
  known: Object.keys(bodySchema.shape),
};

/**
 * `POST …/{id}/approve`: by another person than the author, of exactly what was shown. All of admission is asked again, since
 * anything may have changed; then it starts as what needs no approval does. A dry run shows what would be approved now.
 */
export async function approveExperiment(request: ApproveRequest, dependencies: ApproveDependencies): Promise<Answer> {
  const deadlines = deadlinesOf(dependencies.clock);
  const read = request.dryRun ? { hash: undefined } : readHash(request.body);
  if ('refused' in read) return refusal(read.refused);
  const begun = await approve(request, read.hash, dependencies, deadlines).catch((error: unknown) =>
    unknown('the approval', error),
  );
  return answerBegun(begun, request, dependencies, deadlines);
}

function readHash(body: string): { hash: string } | { refused: Problem } {
  const json = readBody(body);
  if (!json.ok) return { refused: json.problem };
  const parsed = bodySchema.safeParse(json.value);
  return parsed.success ? parsed.data : { refused: invalidRequest(fieldErrors(parsed.error, [], BODY_FIELDS)) };
}

/** @param hash undefined: a dry run */
async function approve(
  { experimentId, caller, ownerToken }: ApproveRequest,
  hash: string | undefined,
  dependencies: ApproveDependencies,
  deadlines: StartDeadlines,
): Promise<Begun> {
  const { audit, leases, clock } = dependencies;
  const { admitted } = deadlines;
  const [entries, lease] = await admitted.within(() =>
    Promise.all([audit.read(experimentId), leases.read(experimentId)]),
  );
  const request = approvalRequest(entries);
  const state = stateOf(entries, lease, clock.nowEpochMs());
  if (!request || !state.approval) {
    if (!state.experiment) return { kind: 'answer', answer: notFound(experimentId) };
    return over(`${experimentId} needed no approval`, experimentId);
  }
  const { approval } = state;
  const { requested } = request.details;
  const refuse = (slug: 'approval-refused' | 'approval-outdated' | 'not-permitted', why: string, more = {}): Begun => ({
    kind: 'refused',
    experiment: requested,
    problem: problem(slug, `not approved: ${why}`, { experimentId, ...more }),
  });

  const wrongApprover = refuseApprover(approval.mayNotApprove, caller.arn);
  if (wrongApprover) return refuse('approval-refused', wrongApprover, { mayNotApprove: approval.mayNotApprove });
  if (hash !== undefined && hash !== approval.hash) {
    return refuse('approval-outdated', 'the hash is not that of what was asked for', { hash: approval.hash });
  }
  if (approval.state === 'ADMITTED') {
    return { kind: 'answer', answer: { status: 202, body: acceptedBody(experimentId, state) } };
  }
  const ended = reasonOfEnd(approval);
  if (ended) return over(`${experimentId} is over: ${ended}`, experimentId);
  const wishes = wishesOf(requested, caller, dependencies);
  const errors = rightsErrors(request, wishes, dependencies);
  if (errors.length > 0) {
    return refuse('not-permitted', errors.map(({ message }) => message).join('; '), { errors });
  }

  // Of the same moment: until then he may, and so may what he lets begin.
  const hours = wishes.flatMap((wish) => hoursOf(dependencies.principals, wish) ?? []);
  const author = requesterOf(request);
  const switchesBefore = await readSwitches(dependencies, admitted);
  const admission = await admitted.within(() => dependencies.admit(requested, author));
  if (!admission.admitted) return { kind: 'refused', problem: admission.problem, experiment: requested };
  const now = admission.facts.approval?.hash;
  if (now !== approval.hash) {
    const why =
      'its targets, or what a store will not survive of it, are not those any more that were shown; ask for it again under another id';
    return refuse('approval-outdated', why, { hash: approval.hash, hashNow: now ?? null });
  }
  if (hash === undefined) return { kind: 'answer', answer: dryRunAnswer(admission) };
  const given = { approver: caller, hash };
  const closing = earliest([...hours, ...(admission.facts.closing ? [admission.facts.closing] : [])]);
  const facts = { ...admission.facts, ...(closing ? { closing } : {}) };
  return claim(
    requested,
    { ...admission, facts },
    { ownerToken, caller: author, approval: given, switchesBefore },
    dependencies,
    deadlines,
  );
}

/** Who approves must be allowed to start it, and the configuration may be narrower than when it was asked for. */
function rightsErrors(
  { details: { requested } }: EntryOf<'APPROVAL_REQUESTED'>,
  wishes: readonly Wish[],
  { principals, clusters }: Pick<ApproveDependencies, 'principals' | 'clusters'>,
): FieldError[] {
  const { durationSeconds, budgets, faults } = requested;
  const services = faults.map(({ cluster }) => ({ targetService: cluster }));
  return [
    ...clusterErrors({ durationSeconds, ...(budgets ? { budgets } : {}) }, services, clusters),
    ...wishes.flatMap((wish) => refuseByRights(principals, wish)),
  ];
}

function wishesOf(
  { durationSeconds, faults }: RequestedExperiment,
  { arn }: Caller,
  { announcer, clock }: Pick<ApproveDependencies, 'announcer' | 'clock'>,
): Wish[] {
  const leadSeconds = announcer.announce ? announcer.announce.leadSeconds : 0;
  return clustersOf({ faults }).map((cluster) => ({
    ...{ arn, cluster, durationSeconds, nowEpochMs: clock.nowEpochMs() },
    kinds: faults.filter((fault) => fault.cluster === cluster).map(({ kind }) => kind),
    beginsWithinSeconds: leadSeconds + beginsWithinSeconds(faults),
  }));
}

function over(why: string, experimentId: string): Begun {
  return { kind: 'refused', problem: problem('approval-over', `not approved: ${why}`, { experimentId }) };
}
