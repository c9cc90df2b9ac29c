import type { ProblemSlug } from '../../functions/domain/problem.ts';
import type { ApiAnswer } from '../api-client.ts';

/** Refusals that say how things are now, not what was asked for. */
const PASSING: readonly ProblemSlug[] = ['cluster-locked', 'steady-state-not-met', 'alarm-firing'];
const TOO_MANY_REQUESTS = 429;

/** Whether the same start may be taken a little later. An API that failed may well: the id cannot run twice. */
export function mayPass({ status, body }: ApiAnswer): boolean {
  const type = typeof body === 'object' && body !== null && 'type' in body ? body.type : undefined;
  return (
    status === TOO_MANY_REQUESTS || status >= 500 || PASSING.some((slug) => type === `urn:holdfast:problem:${slug}`)
  );
}
