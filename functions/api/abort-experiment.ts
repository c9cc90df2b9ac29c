import type { AuditEntry } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { isExperimentId } from '../domain/contract.ts';
import type { Caller } from '../domain/experiment.ts';
import { stateOf } from '../domain/status.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Leases } from '../tables/leases.ts';
import type { Reservations } from '../tables/reservations.ts';
import { type Answer, notFound } from './answer.ts';

export interface AbortDependencies {
  audit: Pick<AuditLog, 'append' | 'read'>;
  leases: Pick<Leases, 'read' | 'release'>;
  reservations: Pick<Reservations, 'isKnown'>;
  clock: Clock;
}

/**
 * `POST …/{id}/abort`: release the lease, then record. The rollback never waits for the record: when the log does not
 * answer in time the answer says `recorded: false`. Repeating it changes nothing.
 * @throws the lease store's error: an abort that was not carried out must not look like one.
 */
export async function abortExperiment(
  experimentId: string,
  caller: Caller,
  { audit, leases, reservations, clock }: AbortDependencies,
): Promise<Answer> {
  // The lease table also holds the kill switch, and only what somebody has asked for may be released through this route.
  // Before there is a lease, the release leaves a row under which nothing can begin any more.
  if (!isExperimentId(experimentId)) return notFound(experimentId);
  const lease = await leases.read(experimentId);
  if (!lease && !(await mayBeStarting(experimentId, reservations, clock))) return notFound(experimentId);

  const detail = `requested by ${caller.arn}`;
  if (lease?.state !== 'RELEASED') await leases.release(experimentId, 'ABORT', detail);

  let entries: AuditEntry[] = [];
  try {
    entries = await withDeadline(audit.read(experimentId), clock);
  } catch (error) {
    log.error('released, but the log is not readable', { experimentId, error: String(error) });
  }
  const { verdict, approval, status: statusNow } = stateOf(entries, { state: 'RELEASED' }, clock.nowEpochMs());
  if (verdict) return { status: 200, body: { experimentId, status: verdict.status, outcome: verdict.outcome } };
  if (approval?.state === 'EXPIRED') return { status: 200, body: { experimentId, status: statusNow } };

  let recorded = entries.some((entry) => entry.type === 'ABORT_REQUESTED' && entry.details.reason === 'ABORT');
  if (!recorded) {
    try {
      await withDeadline(audit.append(experimentId, 'ABORT_REQUESTED', caller, { reason: 'ABORT', detail }), clock);
      recorded = true;
    } catch (error) {
      log.error('released, but not recorded', { experimentId, error: String(error) });
    }
  }
  // What waited for its approval has nothing to roll back.
  const status = approval?.state === 'ABORTED' ? 'ABORTED' : 'ROLLING_BACK';
  return { status: 202, body: { experimentId, status, recorded } };
}

/** Where nobody can tell, it may: an id that nothing can begin under any more is better than a fault. */
async function mayBeStarting(
  experimentId: string,
  reservations: AbortDependencies['reservations'],
  clock: Clock,
): Promise<boolean> {
  try {
    return await withDeadline(reservations.isKnown(experimentId, clock.nowEpochMs()), clock);
  } catch (error) {
    log.error('reservations not readable: released', { experimentId, error: String(error) });
    return true;
  }
}
