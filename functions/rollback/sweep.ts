import type { AuditEntry, EntryType } from '../domain/audit-entry.ts';
import { stateOf } from '../domain/status.ts';
import { leavesClusterFree } from '../domain/verdict.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { LeaseStore } from '../tables/leases.ts';
import type { ClusterLock, ClusterLocks } from '../tables/locks.ts';
import { type RollbackStarter, startRollback } from './start-rollback.ts';

/**
 * How long the step behind each of these may take before its run counts as dead.
 */
const NEXT_STEP_TAKES_MS: Partial<Record<EntryType, number>> = {
  ROLLING_BACK: 240_000,
  ROLLED_BACK: 700_000,
  ROLLBACK_FAILED: 700_000,
  RECOVERY_VERIFIED: 150_000,
  RECOVERY_FAILED: 150_000,
};

export interface SweepDependencies extends RollbackStarter {
  locks: Pick<ClusterLocks, 'list' | 'release'>;
  audit: Pick<AuditLog, 'read'>;
  leases: Pick<LeaseStore, 'release'>;
  /** True when the execution of that name is known not to run any more. */
  executionEnded(name: string): Promise<boolean>;
}

export type SweepAction = 'within its time' | 'lock freed' | 'rollback under way' | 'rollback started';

/**
 * Every minute: what is past its end or without a living execution is rolled back, a rollback that failed is tried
 * again, and stale locks are freed. One experiment's failure does not keep the others from being swept.
 * @throws AggregateError at the end when any could not be swept.
 */
export async function sweep(dependencies: SweepDependencies): Promise<Record<string, SweepAction>> {
  const done: Record<string, SweepAction> = {};
  const failures: unknown[] = [];
  for (const lock of await dependencies.locks.list()) {
    try {
      done[lock.cluster] = await sweepOne(lock, dependencies);
    } catch (error) {
      log.error('not swept', { ...lock, error: String(error) });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} locks could not be swept`);
  return done;
}

async function sweepOne(lock: ClusterLock, dependencies: SweepDependencies): Promise<SweepAction> {
  const { locks, audit, leases, clock } = dependencies;
  const { cluster, experimentId } = lock;
  const nowMs = clock.nowEpochMs();
  // `!(…)` so that an end that is not a number counts as passed.
  const outOfTime = !(nowMs <= lock.endsByEpochSeconds * 1000);
  // Asked before the log is read: an execution that ended well has written its verdict by then.
  const pastItsEnd = outOfTime || (await isDead(experimentId, dependencies));
  const why = outOfTime ? `past its end (${lock.endsByEpochSeconds})` : 'its execution does not run any more';
  const release = () => leases.release(experimentId, 'SWEEP', why);
  let entries: AuditEntry[];
  try {
    entries = await audit.read(experimentId);
  } catch (error) {
    // The way back does not wait for the log.
    if (pastItsEnd) await release();
    throw error;
  }
  const { verdict } = stateOf(entries);
  if (verdict && leavesClusterFree(verdict, entries)) {
    await locks.release(cluster, experimentId);
    return 'lock freed';
  }
  // A verdict here is a failed rollback: that is tried again until it succeeds, whatever the time.
  if (!verdict && !pastItsEnd) return 'within its time';

  await release();
  if (isUnderWay(entries, verdict !== undefined, nowMs)) return 'rollback under way';
  if (await startRollback(experimentId, entries, dependencies)) return 'rollback started';
  // The start died before it was admitted: there is nothing to roll back.
  await locks.release(cluster, experimentId);
  return 'lock freed';
}

async function isDead(experimentId: string, { executionEnded }: SweepDependencies): Promise<boolean> {
  try {
    return await executionEnded(experimentId);
  } catch (error) {
    log.warn('execution not readable: left to its time', { experimentId, error: String(error) });
    return false;
  }
}

/** Whether the last step of a way back is young enough for another one to come. */
function isUnderWay(entries: readonly AuditEntry[], concluded: boolean, nowMs: number): boolean {
  const last = entries.findLast(({ type }) => Object.hasOwn(NEXT_STEP_TAKES_MS, type));
  // A repeated rollback ends with its look at the store: there is a verdict already.
  if (concluded && (last?.type === 'RECOVERY_VERIFIED' || last?.type === 'RECOVERY_FAILED')) return false;
  const takesMs = last && NEXT_STEP_TAKES_MS[last.type];
  return takesMs !== undefined && nowMs - Date.parse(last?.at ?? '') < takesMs;
}
