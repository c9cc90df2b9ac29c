import type { ProblemSlug } from '../../functions/domain/problem.ts';
import type { ApiAnswer } from '../api-client.ts';

/** Refusals that say how things are now, not what was asked for. */
const PASSING: readonly ProblemSlug[] = ['cluster-locked', 'steady-state-not-met', 'alarm-firing'];
/** Too many requests at a time, and something that was not available. */
const PASSING_STATUSES: readonly number[] = [429, 503];

/** Whether the same start may be taken a little later. */
export function mayPass({ status, body }: ApiAnswer): boolean {
  const type = typeof body === 'object' && body !== null && 'type' in body ? body.type : undefined;
  return PASSING_STATUSES.includes(status) || PASSING.some((slug) => type === `urn:holdfast:problem:${slug}`);
}
