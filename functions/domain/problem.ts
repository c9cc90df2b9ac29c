import { MAX_BODY_BYTES } from './contract.ts';
import { describeEngaged, type KillSwitch } from './kill-switch.ts';

/**
 * RFC 9457 problem documents. The slug is the stable part (`type` = `urn:holdfast:problem:<slug>`); the other texts
 * are for people and may change.
 */
export const PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'not-permitted': { status: 403, title: 'The principal may not do that' },
  'approval-refused': { status: 403, title: 'That principal may not approve it' },
  'experiment-not-found': { status: 404, title: 'There is no such experiment' },
  'schedule-not-found': { status: 404, title: 'There is no such schedule' },
  'schedule-paused': { status: 409, title: 'The schedule is paused' },
  'experiment-id-conflict': { status: 409, title: 'The experiment id was used for another request' },
  'approval-missing': { status: 409, title: 'The schedule has no approval that holds' },
  'approval-outdated': { status: 409, title: 'What was approved is not what would run now' },
  'approval-over': { status: 409, title: 'There is nothing to approve' },
  'cluster-locked': { status: 409, title: 'Another experiment holds the cluster' },
  'alarm-firing': { status: 409, title: 'An alarm of the cluster is not OK' },
  'not-confirmed-on-canary': { status: 409, title: 'The fault was not confirmed on the canary cluster' },
  'steady-state-not-met': { status: 409, title: 'The cluster is not in its steady state' },
  'kill-switch-engaged': { status: 409, title: 'The kill switch is engaged' },
  'kill-switch-in-use': { status: 409, title: 'An experiment is not over yet' },
  'service-quota': { status: 409, title: 'Too many experiments are active in the service that applies the fault' },
  'body-too-large': { status: 413, title: `The body is larger than ${MAX_BODY_BYTES} bytes` },
  'unknown-cluster': { status: 422, title: 'This deployment may not touch that cluster' },
  'unknown-node': { status: 422, title: 'A node is not a live node of the cluster' },
  'blast-radius-exceeded': { status: 422, title: 'The blast radius would be too large' },
  'cluster-too-small': { status: 422, title: 'The cluster is too small for any experiment' },
  'experiment-too-large': { status: 422, title: 'The experiment names more than one run can carry' },
  'fault-not-allowed': { status: 422, title: 'The fault may not be done there' },
  'outside-window': { status: 422, title: 'The cluster may not be experimented on now' },
  'internal-error': { status: 500, title: 'The request failed inside Holdfast' },
  'announcement-not-delivered': { status: 503, title: 'The start could not be announced' },
  'telemetry-unavailable': { status: 503, title: 'The state of the cluster cannot be seen' },
  'kill-switch-not-engaged': { status: 503, title: 'The kill switch could not be engaged' },
  'control-plane-unknown': { status: 503, title: 'A check could not be made, and unknown means no' },
} as const;
export type ProblemSlug = keyof typeof PROBLEMS;

/** One field that is wrong, and what it may be. */
export interface FieldError {
  field: string;
  message: string;
  allowed: string;
}

export interface Problem {
  type: `urn:holdfast:problem:${ProblemSlug}`;
  title: string;
  status: number;
  detail: string;
  errors?: FieldError[];
  /** What to do about it. */
  runbook?: string;
  /** The numbers behind a refusal. */
  [extension: string]: unknown;
}

/** With these nothing was decided: what was asked for may have happened all the same. */
const UNDECIDED: readonly ProblemSlug[] = ['control-plane-unknown', 'internal-error'];
export function isUndecided({ type }: { type: string }): boolean {
  return UNDECIDED.some((slug) => type === `urn:holdfast:problem:${slug}`);
}

/** Extensions cannot replace the standard members. */
export function problem(slug: ProblemSlug, detail: string, extensions: Record<string, unknown> = {}): Problem {
  const runbook = `docs/runbook.md#${slug}`;
  return { ...extensions, type: `urn:holdfast:problem:${slug}`, ...PROBLEMS[slug], detail, runbook };
}

export function clusterLocked(clusterName: string, holder: string): Problem {
  const detail = `not started: ${clusterName} is held by experiment ${holder}`;
  return problem('cluster-locked', detail, { cluster: clusterName, heldBy: holder });
}

/** Names who engaged it, when and why, as far as that is known. One that is re-armed again was engaged during admission. */
export function killSwitchEngaged(found: KillSwitch): Problem {
  const { cluster, engaged, engagement = {} } = found;
  const said = { ...(cluster === undefined ? {} : { cluster }), engagement };
  const why = engaged
    ? describeEngaged(found)
    : 'the kill switch was engaged while this was admitted: ask for it again';
  return problem('kill-switch-engaged', `not started: ${why}`, said);
}
