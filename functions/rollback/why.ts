import type { ExperimentRun } from '../domain/workflow.ts';
import type { ReleaseReason } from '../tables/leases.ts';

/** The reason a rollback gives to a lease that nobody has released yet: what its run shows. */
export function whyRolledBack({ rollbackOnly, cause }: Pick<ExperimentRun, 'rollbackOnly' | 'cause'>): {
  reason: ReleaseReason;
  detail: string;
} {
  if (rollbackOnly) return { reason: 'SWEEP', detail: 'found by the sweep' };
  if (cause) return { reason: 'ROLLBACK', detail: `${cause.Error}: ${cause.Cause}`.slice(0, 1000) };
  return { reason: 'TTL', detail: 'the time of the experiment is over' };
}
