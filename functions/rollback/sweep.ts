import type { Executions } from '../aws/executions.ts';
import type { AuditEntry, EntryType } from '../domain/audit-entry.ts';
import { describeEngaged } from '../domain/kill-switch.ts';
import { stateOf } from '../domain/status.ts';
import { NEXT_STEP_MS, ROLLBACK_BEGINS_MS } from '../domain/timing.ts';
import { leavesClusterFree } from '../domain/verdict.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { KillSwitches } from '../tables/kill-switches.ts';
import type { Lease, Leases } from '../tables/leases.ts';
import type { Lock, Locks } from '../tables/locks.ts';
import { type RecordEngagedDependencies, recordEngaged } from './record-engaged.ts';
import { type RollbackStarter, startRollback } from './start-rollback.ts';

/** How long the step after each of these entries may take before its run counts as dead. */
const NEXT_STEP_TAKES_MS: Partial<Record<EntryType, number>> = {
  ROLLING_BACK: NEXT_STEP_MS.rollBack,
  ROLLED_BACK: NEXT_STEP_MS.verifyRecovery,
  ROLLBACK_FAILED: NEXT_STEP_MS.verifyRecovery,
  RECOVERY_VERIFIED: NEXT_STEP_MS.conclude,
  RECOVERY_FAILED: NEXT_STEP_MS.conclude,
};

const HANGS = 'its rollback has not begun a minute after its lease was released';

export interface SweepDependencies extends RollbackStarter, Pick<RecordEngagedDependencies, 'clusters' | 'topic'> {
  locks: Pick<Locks, 'list' | 'release'>;
  audit: Pick<AuditLog, 'readToDecideRollback'> & RecordEngagedDependencies['audit'];
  leases: Pick<Leases, 'release' | 'read'>;
  switches: Pick<KillSwitches, 'engaged'> & RecordEngagedDependencies['switches'];
  executions: Pick<Executions, 'start' | 'ended' | 'stop'>;
}

export type SweepAction = 'within its time' | 'lock freed' | 'rollback under way' | 'rollback started';

/**
 * Every minute: what is past its end or without a living execution is rolled back, a rollback that failed is tried
 * again, and stale locks are freed. A lease under an engaged kill switch is released; an execution that has not begun its
 * rollback a minute after its lease was released, by whomever, hangs, and is stopped first. Beside that, switches that are
 * engaged past the log are put on record. One failure keeps nothing else from being done.
 * @throws AggregateError at the end when anything could not be done.
 */
export async function sweep(dependencies: SweepDependencies): Promise<Record<string, SweepAction>> {
  const [swept, told] = await Promise.allSettled([sweepLocks(dependencies), recordEngaged(dependencies)]);
  const failures = [swept, told].flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  if (swept.status === 'rejected' || failures.length > 0) throw new AggregateError(failures, failures.join('; '));
  return swept.value;
}

async function sweepLocks(dependencies: SweepDependencies): Promise<Record<string, SweepAction>> {
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

async function sweepOne(lock: Lock, dependencies: SweepDependencies): Promise<SweepAction> {
  const { locks, audit, leases, clock } = dependencies;
  const { cluster, experimentId } = lock;
  const nowMs = clock.nowEpochMs();
  // `!(…)` so that an end that is not a number counts as passed.
  const outOfTime = !(nowMs <= Date.parse(lock.endsAt));
  const lease = await releaseIfKilled(lock, dependencies);
  // Asked before the log is read: an execution that ended well has written its verdict by then.
  const dead = outOfTime || (await isDead(experimentId, dependencies));
  const hangs = !dead && releasedLongAgo(lease, nowMs);
  const pastItsEnd = dead || hangs;
  const why = outOfTime ? `past its end (${lock.endsAt})` : hangs ? HANGS : 'its execution does not run any more';
  const release = () => leases.release(experimentId, 'SWEEP', why);
  let entries: AuditEntry[];
  try {
    entries = await audit.readToDecideRollback(experimentId);
  } catch (error) {
    // The rollback does not wait for the log.
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
  if (hangs && !verdict) await stopExecution(experimentId, dependencies);
  if (await startRollback(experimentId, entries, dependencies)) return 'rollback started';
  // The start died before it was admitted: there is nothing to roll back.
  await locks.release(cluster, experimentId);
  return 'lock freed';
}

/**
 * What the kill switch means to the experiment, where its guard has not done it: a guard that hangs or is dead.
 * @returns its lease as it was before; undefined when there is none, or it cannot be read: then nothing follows from it
 */
async function releaseIfKilled({ cluster, experimentId }: Lock, dependencies: SweepDependencies) {
  const { leases, switches } = dependencies;
  try {
    const [lease, engaged] = await Promise.all([leases.read(experimentId), switches.engaged([cluster])]);
    if (engaged && lease?.state === 'HOLD') await leases.release(experimentId, 'KILL_SWITCH', describeEngaged(engaged));
    return lease;
  } catch (error) {
    log.warn('lease or kill switch not readable: left to its time', { experimentId, error: String(error) });
    return undefined;
  }
}

function releasedLongAgo(lease: Lease | undefined, nowMs: number): boolean {
  return lease?.state === 'RELEASED' && nowMs - Date.parse(lease.releasedAt ?? '') >= ROLLBACK_BEGINS_MS;
}

/** Its end is an event that starts a rollback as well; the names of both are the same. */
async function stopExecution(experimentId: string, { executions }: SweepDependencies): Promise<void> {
  try {
    await executions.stop(experimentId, HANGS);
  } catch (error) {
    // Nothing that it could still do is granted; the rollback does not wait for it.
    log.error('execution not stopped', { experimentId, error: String(error) });
  }
}

async function isDead(experimentId: string, { executions }: SweepDependencies): Promise<boolean> {
  try {
    return await executions.ended(experimentId);
  } catch (error) {
    log.warn('execution not readable: left to its time', { experimentId, error: String(error) });
    return false;
  }
}

/** Whether the last step of a rollback is young enough for another one to come. */
function isUnderWay(entries: readonly AuditEntry[], concluded: boolean, nowMs: number): boolean {
  const last = entries.findLast(({ type }) => Object.hasOwn(NEXT_STEP_TAKES_MS, type));
  // A repeated rollback ends with its look at the store: there is a verdict already.
  if (concluded && (last?.type === 'RECOVERY_VERIFIED' || last?.type === 'RECOVERY_FAILED')) return false;
  const takesMs = last && NEXT_STEP_TAKES_MS[last.type];
  return takesMs !== undefined && nowMs - Date.parse(last?.at ?? '') < takesMs;
}
