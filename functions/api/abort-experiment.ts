import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditEntry } from '../audit/entry.ts';
import type { Caller } from '../experiment/experiment.ts';
import { stateOf } from '../experiment/status.ts';
import { KILL_SWITCH_LEASE_ID, type LeaseStore } from '../guard/lease.ts';
import { log } from '../shared/log.ts';
import { type Answer, notFound } from './answer.ts';

export interface AbortDependencies {
  audit: Pick<AuditLog, 'append' | 'read'>;
  leases: Pick<LeaseStore, 'read' | 'release'>;
}

/**
 * `POST …/{id}/abort`: record, then let go. The way back never waits for the record: when the log cannot be written
 * the lease is released all the same, and the answer says `recorded: false`. Repeating it changes nothing.
 * @throws the lease store's error: an abort that was not carried out must not look like one.
 */
export async function abortExperiment(
  experimentId: string,
  caller: Caller,
  { audit, leases }: AbortDependencies,
): Promise<Answer> {
  let entries: AuditEntry[] | undefined;
  try {
    entries = await audit.read(experimentId);
  } catch (error) {
    log.error('log not readable: aborting by the lease alone', { experimentId, error: String(error) });
  }
  const lease = await leases.read(experimentId);
  // The lease table also holds the kill switch: only what was admitted, or is known to be held for an experiment
  // when the log cannot be read, may be released through this route.
  const known = entries ? entries.some(({ type }) => type === 'ADMITTED') : lease !== undefined;
  if (!known || experimentId === KILL_SWITCH_LEASE_ID) return notFound(experimentId);

  const verdict = entries && stateOf(entries, lease).verdict;
  if (verdict) return { status: 200, body: { experimentId, status: verdict.status, outcome: verdict.outcome } };

  const recorded = await record(experimentId, caller, entries, audit);
  await leases.release(experimentId, 'ABORT', `requested by ${caller.arn}`);
  return { status: 202, body: { experimentId, status: 'ROLLING_BACK', recorded } };
}

async function record(
  experimentId: string,
  caller: Caller,
  entries: AuditEntry[] | undefined,
  audit: Pick<AuditLog, 'append'>,
): Promise<boolean> {
  if (entries?.some(({ type, details }) => type === 'ABORT_REQUESTED' && details.reason === 'ABORT')) return true;
  try {
    await audit.append(experimentId, 'ABORT_REQUESTED', caller, {
      reason: 'ABORT',
      detail: `requested by ${caller.arn}`,
    });
    return true;
  } catch (error) {
    log.error('abort not recorded: releasing all the same', { experimentId, error: String(error) });
    return false;
  }
}
