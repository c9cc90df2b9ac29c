import { MAX_BODY_BYTES } from './contract.ts';

/**
 * RFC 9457 problem documents. The slug is the stable part (`type` = `urn:holdfast:problem:<slug>`); the other texts
 * are for people and may change.
 */
export const PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'experiment-not-found': { status: 404, title: 'There is no such experiment' },
  'experiment-id-conflict': { status: 409, title: 'The experiment id was used for another request' },
  'cluster-locked': { status: 409, title: 'Another experiment holds the cluster' },
  'alarm-firing': { status: 409, title: 'An alarm of the cluster is not OK' },
  'steady-state-not-met': { status: 409, title: 'The cluster is not in its steady state' },
  'kill-switch-engaged': { status: 409, title: 'The kill switch is engaged' },
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
  'telemetry-unavailable': { status: 503, title: 'The state of the cluster cannot be seen' },
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
  /** The numbers behind a refusal. */
  [extension: string]: unknown;
}

/** Extensions cannot replace the standard members. */
export function problem(slug: ProblemSlug, detail: string, extensions: Record<string, unknown> = {}): Problem {
  return { ...extensions, type: `urn:holdfast:problem:${slug}`, ...PROBLEMS[slug], detail };
}

export function clusterLocked(clusterName: string, holder: string): Problem {
  const detail = `not started: ${clusterName} is held by experiment ${holder}`;
  return problem('cluster-locked', detail, { cluster: clusterName, heldBy: holder });
}
