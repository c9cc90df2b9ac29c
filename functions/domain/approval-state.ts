import { type AuditEntry, type EntryOf, isEntryOf } from './audit-entry.ts';
import type { Caller } from './experiment.ts';

/** The part of a lease row that tells of an abort. */
type LeaseState = { state: 'HOLD' | 'RELEASED' } | undefined;

/** Where a request for approval stands. Once it was admitted it is an experiment like any other. */
export type ApprovalState = 'PENDING' | 'ADMITTED' | 'ABORTED' | 'EXPIRED';

/** What the API shows of it. */
export interface ApprovalDocument {
  state: ApprovalState;
  /** What whoever approves sends back. */
  hash: string;
  /** ISO 8601. */
  expiresAt: string;
  requestedBy: string;
  mayNotApprove: string;
  approvedBy?: string;
}

export function approvalRequest(entries: readonly AuditEntry[]): EntryOf<'APPROVAL_REQUESTED'> | undefined {
  return entries.find((entry) => isEntryOf(entry, 'APPROVAL_REQUESTED')) as EntryOf<'APPROVAL_REQUESTED'> | undefined;
}

/**
 * Told from the log, the lease and the time alone: nobody has to be there when a request expires, and nothing is held for it.
 * @returns undefined for what needed no approval
 */
export function approvalDocument(
  entries: readonly AuditEntry[],
  lease: LeaseState,
  nowEpochMs: number,
): ApprovalDocument | undefined {
  const request = approvalRequest(entries);
  if (!request) return undefined;
  const { facts, expiresAt } = request.details;
  const approved = entries.findLast((entry) => isEntryOf(entry, 'APPROVED'));
  return {
    state: stateOfRequest(entries, lease, expiresAt, nowEpochMs),
    hash: facts.approval?.hash ?? '',
    expiresAt,
    requestedBy: arnOf(request),
    mayNotApprove: facts.approval?.mayNotApprove ?? '',
    ...(approved ? { approvedBy: arnOf(approved) } : {}),
  };
}

function stateOfRequest(
  entries: readonly AuditEntry[],
  lease: LeaseState,
  expiresAt: string,
  nowEpochMs: number,
): ApprovalState {
  if (entries.some(({ type }) => type === 'ADMITTED')) return 'ADMITTED';
  const expiresAtMs = Date.parse(expiresAt);
  const abort = entries.find(({ type }) => type === 'ABORT_REQUESTED');
  // `!(…)` so that an end that is not a number counts as passed. What was over is not aborted any more.
  if (!((abort ? Date.parse(abort.at) : nowEpochMs) < expiresAtMs)) return 'EXPIRED';
  return abort || lease?.state === 'RELEASED' ? 'ABORTED' : 'PENDING';
}

/** Why it is over although nothing was started; undefined: it is not, or it was admitted. */
export function reasonOfEnd({ state, expiresAt }: ApprovalDocument): string | undefined {
  if (state === 'EXPIRED') return `nobody approved it before ${expiresAt}: nothing was started`;
  return state === 'ABORTED' ? 'aborted before it was approved: nothing was started' : undefined;
}

function arnOf({ actor }: Pick<AuditEntry, 'actor'>): string {
  return 'arn' in actor ? actor.arn : actor.function;
}

/** Who asked. @throws Error for an entry that no person wrote */
export function requesterOf({ actor }: Pick<AuditEntry, 'actor'>): Caller {
  if ('arn' in actor) return actor;
  throw new Error(`asked for by ${actor.function}, which is nobody`);
}
