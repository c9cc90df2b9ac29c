import type { ClusterLock, ClusterLocks } from '../admission/cluster-locks.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditEntry } from '../audit/entry.ts';
import type { Caller, Experiment } from '../experiment/experiment.ts';
import { detailsOf, stateOf } from '../experiment/status.ts';
import type { ExperimentRun, ResolvedTargets } from '../experiment/workflow.ts';
import type { LeaseStore } from '../guard/lease.ts';
import type { Clock } from '../shared/clock.ts';
import { log } from '../shared/log.ts';

/** A rollback that began this recently is left to finish before another one is sent. */
const ROLLBACK_TAKES_MS = 150_000;

export interface SweepDependencies {
  locks: Pick<ClusterLocks, 'list' | 'release'>;
  audit: Pick<AuditLog, 'read'>;
  leases: Pick<LeaseStore, 'release'>;
  /** Starts the state machine under that name; a name that exists already is no error. */
  startExecution(name: string, run: ExperimentRun): Promise<void>;
  clock: Clock;
}

export type SweepAction = 'within its time' | 'lock freed' | 'rollback under way' | 'rollback started';

/**
 * Every minute: what is past its end is rolled back even if its execution is dead, and stale locks are freed. One
 * experiment's failure does not keep the others from being swept.
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

async function sweepOne(lock: ClusterLock, { locks, audit, leases, startExecution, clock }: SweepDependencies) {
  const { cluster, experimentId } = lock;
  const nowMs = clock.nowEpochMs();
  // `!(…)` so that an end that is not a number counts as passed.
  const pastItsEnd = !(nowMs <= lock.endsByEpochSeconds * 1000);
  const release = () => leases.release(experimentId, 'SWEEP', `past its end (${lock.endsByEpochSeconds})`);
  let entries: AuditEntry[];
  try {
    entries = await audit.read(experimentId);
  } catch (error) {
    // The way back does not wait for the log.
    if (pastItsEnd) await release();
    throw error;
  }
  if (stateOf(entries).verdict) {
    await locks.release(cluster, experimentId);
    return 'lock freed';
  }
  if (!pastItsEnd) return 'within its time';

  await release();
  const admitted = entries.find(({ type }) => type === 'ADMITTED');
  if (!admitted) {
    // An execution is started only behind ADMITTED: this start died before, there is nothing to roll back.
    await locks.release(cluster, experimentId);
    return 'lock freed';
  }
  const rollingBack = entries.findLast(({ type }) => type === 'ROLLING_BACK');
  if (rollingBack && nowMs - Date.parse(rollingBack.at) < ROLLBACK_TAKES_MS) return 'rollback under way';
  const targets = detailsOf<{ targets: ResolvedTargets }>(entries, 'TARGETS_RESOLVED')?.targets;
  await startExecution(`${experimentId}-sweep-${Math.floor(nowMs / 60_000)}`, {
    experimentId,
    experiment: (admitted.details as { experiment?: unknown }).experiment as Experiment,
    caller: admitted.actor as Caller,
    rollbackOnly: true,
    ...(targets ? { targets } : {}),
  });
  return 'rollback started';
}
