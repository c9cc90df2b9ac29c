import type { Reason } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Leases } from '../tables/leases.ts';

export interface ReleaseDependencies {
  audit: Pick<AuditLog, 'append'>;
  leases: Pick<Leases, 'release'>;
  clock: Clock;
}

/**
 * Releases the lease, then records why: the rollback never waits for the record.
 * @throws the lease store's error, so that the event is delivered again
 */
export async function releaseAndRecord(
  experimentId: string,
  why: Reason,
  actor: { function: string },
  { audit, leases, clock }: ReleaseDependencies,
): Promise<void> {
  await leases.release(experimentId, why.reason, why.detail);
  try {
    await withDeadline(audit.append(experimentId, 'ABORT_REQUESTED', actor, why), clock);
  } catch (error) {
    log.error('released, but not recorded', { experimentId, ...why, error: String(error) });
  }
}
