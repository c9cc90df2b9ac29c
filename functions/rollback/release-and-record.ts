import type { Reason } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Leases } from '../tables/leases.ts';

export interface ReleaseDependencies {
  audit: Pick<AuditLog, 'appendOnce'>;
  leases: Pick<Leases, 'read' | 'release'>;
  clock: Clock;
}

/**
 * Releases the lease, then records why: the rollback never waits for the record. What was released before for another
 * reason is not recorded. What was released for this very one is, once, however often it is delivered.
 * @returns whether anything was done: released, recorded, or both
 * @throws the error of the lease store or of the log, so that the event is delivered again: the lease may be released
 */
export async function releaseAndRecord(
  experimentId: string,
  why: Reason,
  actor: { function: string },
  { audit, leases, clock }: ReleaseDependencies,
): Promise<boolean> {
  const { reason, detail } = why;
  const released = await leases.release(experimentId, reason, detail);
  if (!released) {
    // By this very event it may have been: a delivery before, one beside, or an attempt whose answer was lost.
    const lease = await leases.read(experimentId);
    if (lease?.releaseReason !== reason || lease.releaseDetail !== detail) return false;
  }
  const entry = await withDeadline(audit.appendOnce(experimentId, 'ABORT_REQUESTED', actor, why), clock);
  return released || entry !== undefined;
}
