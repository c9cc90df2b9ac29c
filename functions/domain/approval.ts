import { canonicalJson, sha256Hex, withoutOrder } from './digest.ts';
import type { Experiment, RequestedExperiment } from './experiment.ts';
import type { FieldError } from './problem.ts';
import type { ResolvedFault } from './targets.ts';

/** Two people for a cluster that asks for it: what one may start there only another one may let begin. */

/** What admission says of a request on clusters that ask for an approval. */
export interface ApprovalDemand {
  /** Over experiment and resolved targets: whoever approves sends it back. */
  hash: string;
  /** Those that ask for it. */
  clusters: string[];
  /** The shortest of theirs. */
  expiresMinutes: number;
  /** The identity of the author, who may not approve. */
  mayNotApprove: string;
}

/**
 * What is approved is what was shown: the same faults on the same nodes, in the roles that they had.
 * @param losses what the stores will not survive of it
 */
export function approvalHash(
  experiment: Experiment,
  targets: readonly ResolvedFault[],
  losses: readonly string[] = [],
): string {
  const shown = { experiment, targets: withoutOrder(targets), ...(losses.length > 0 ? { losses } : {}) };
  return sha256Hex(canonicalJson(shown));
}

/** The name under which a schedule acts. */
export const SCHEDULE_PRINCIPAL = /^schedule\/(.+)$/;
const USER = /^arn:[a-z-]+:iam::\d{12}:(?:user\/.+|root)$/;
const SESSION = /^arn:[a-z-]+:sts::(\d{12}):assumed-role\/([^/]+)\/(.+)$/;
/** IAM Identity Center names these roles itself, and their sessions after its users. */
const IDENTITY_CENTER_ROLE = /^AWSReservedSSO_/;

/**
 * Who is behind a principal, as far as its ARN proves it. Two principals with one identity count as one person:
 * - a user of IAM, the root user and a schedule are themselves;
 * - a session of a role is the role, because whoever takes a role chooses the session's name;
 * - only IAM Identity Center chooses that name itself: there it is the user's, whatever permission set it came by.
 * @returns undefined where the ARN proves nothing, as that of a federated user
 */
export function identityOf(arn: string): string | undefined {
  const [, account, role = '', session = ''] = SESSION.exec(arn) ?? [];
  if (account === undefined) return USER.test(arn) || SCHEDULE_PRINCIPAL.test(arn) ? arn : undefined;
  return IDENTITY_CENTER_ROLE.test(role)
    ? `user ${session.toLowerCase()} of IAM Identity Center`
    : `role ${role} of account ${account}`;
}

/** Why this principal may not approve; undefined: it may. @param author identity of who asked for it */
export function refuseApprover(author: string, approver: string): string | undefined {
  const identity = identityOf(approver);
  if (identity === undefined) return `${approver} does not show who is behind it`;
  if (SCHEDULE_PRINCIPAL.test(approver)) return 'a schedule is nobody who could have looked at it';
  return identity === author ? `${identity} asked for it, and another person has to approve` : undefined;
}

/** Given to a schedule beforehand, in the configuration. */
export interface StandingApproval {
  /** Who gave it. */
  by: string;
  /** The last day on which it holds, UTC: `YYYY-MM-DD`. */
  until: string;
  /** Of the experiment that was approved: see `standingHash`. */
  hash: string;
}

/** Of an experiment as its schedule asks for it, whenever it comes. */
export function standingHash({ experimentId: _id, faults, ...experiment }: RequestedExperiment): string {
  return sha256Hex(canonicalJson({ ...experiment, faults: faults.map(({ faultId: _faultId, ...fault }) => fault) }));
}

/**
 * Why a schedule may not start by itself what needs an approval; undefined: it may.
 * @param hash of what it wants to start
 */
export function refuseStanding(
  standing: StandingApproval | undefined,
  hash: string,
  nowEpochMs: number,
): FieldError | undefined {
  if (standing === undefined) {
    return { field: 'standingApproval', message: 'it has no standing approval', allowed: `one with the hash ${hash}` };
  }
  const today = new Date(nowEpochMs).toISOString().slice(0, 10);
  if (today > standing.until) {
    const message = `its standing approval by ${standing.by} ended with ${standing.until}`;
    return { field: 'standingApproval.until', message, allowed: `${today} or later` };
  }
  if (standing.hash === hash) return undefined;
  const message = `what ${standing.by} approved is another experiment`;
  return { field: 'standingApproval.hash', message, allowed: hash };
}
