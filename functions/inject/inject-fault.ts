import { requireAdmittedTargets, requireOpenUntil } from '../domain/admitted.ts';
import { requireAnnounced } from '../domain/announcement.ts';
import { type AuditEntry, announcedFaults, isEntryOf } from '../domain/audit-entry.ts';
import { isProbed } from '../domain/check-values.ts';
import type { Clock } from '../domain/clock.ts';
import { injectionMs } from '../domain/closing.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import type { Experiment, Fault } from '../domain/experiment.ts';
import type { Notifications } from '../domain/notifications.ts';
import { isSameShard, probedShards, type ShardName, shardText } from '../domain/probed-shards.ts';
import { stateOf } from '../domain/status.ts';
import type { ResolvedTargets } from '../domain/targets.ts';
import { OBSERVED_DEADLINE_MS, PROBE_BASELINE_MS, PROBE_READY_DEADLINE_MS } from '../domain/timing.ts';
import type { BatchPlan, ExperimentRun, Injection } from '../domain/workflow.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { type Leases, leaseReleased } from '../tables/leases.ts';
import { type InjectionBatch, nextBatch, nextDueAtEpochMs } from './batches.ts';
import { answersOf, type DispatchDependencies, dispatch, failuresOf, type Sent } from './dispatch.ts';
import { refuseUnsteady } from './refuse-unsteady.ts';

const ACTOR = { function: 'inject-fault' };
/** Two beats: the guard has seen fresh data and has come back to see more. */
const MIN_BEAT = 2;
const WATCH_POLL_MS = 250;
/** The machine's clock may be ahead of ours by so much; a batch that comes earlier still is none of this plan. */
const MAX_EARLY_MS = 5_000;
/** Of the look at the targets before a later batch: it is taken just before, and a new beat is waited for behind it. */
const MAX_CHECK_AGE_MS = 2 * OBSERVED_DEADLINE_MS;

export interface InjectDependencies extends DispatchDependencies {
  leases: Pick<Leases, 'read' | 'grant' | 'setEndsAt'>;
  audit: Pick<AuditLog, 'append' | 'read'>;
}

/** What is asked for: nothing of it is done unless it is what was admitted. */
export interface InjectTask extends Pick<ExperimentRun, 'experiment' | 'targets'> {
  /** Of the configuration: nothing is injected that should have been announced and was not. */
  announce: Notifications['announce'];
  /** @throws Error when a fault has no resolved targets: then nothing is announced, and nothing is sent. */
  plan(targets: ResolvedTargets, faults: readonly Fault[], ttlSeconds: number): BatchPlan;
}

/** What of it is certain, by the log. */
interface Batch {
  experiment: Experiment;
  targets: ResolvedTargets;
  /** Every shard whose clients are measured. */
  probed: readonly ShardName[];
  /** What the batches before have injected. */
  injection: Injection | undefined;
}

/**
 * Injects the faults that are due under a watched lease: admitted → watched and measured → recorded → granted → sent →
 * confirmed by every host and by the service. Anything less is indeterminate, and indeterminate means injected: the caller rolls
 * back everything, the faults of earlier batches too.
 *
 * @returns the injection so far; its times are those of the first batch
 * @throws WorkflowError NotAdmitted, SteadyStateNotMet, InjectionFailed, OutsideLimits when a window would close on it, or LeaseReleased when the right to go on ended on the way.
 */
export async function injectFault(task: InjectTask, dependencies: InjectDependencies): Promise<Injection> {
  const { experimentId } = task.experiment;
  const { audit, clock } = dependencies;
  const known = await audit.read(experimentId);
  const targets = requireAdmittedTargets(known, task);
  requireAnnounced(known, task.announce, clock.nowEpochMs());
  // By the log, not by the input: who could choose their end could make faults last.
  const { injection } = stateOf(known);
  const { experiment } = task;
  const current: Batch = { experiment, targets, probed: probedShards(experiment.faults, targets.faults), injection };
  await waitUntilDue(current, clock);
  const missed = nextBatch(experiment, injection, clock.nowEpochMs());
  if (injection && missed.faults.length === 0) return skip(experimentId, injection, missed, dependencies);
  const entries = await waitUntilObserved(current, dependencies);
  // Again: the wait took of what remains.
  const batch = nextBatch(experiment, injection, clock.nowEpochMs());
  if (injection && batch.faults.length === 0) return skip(experimentId, injection, batch, dependencies);
  refuseRepetition(batch.faults, entries);
  if (injection) refuseUnchecked(entries, clock);
  else refuseUnsteady(experiment, current.probed, entries);
  const latestEndMs = clock.nowEpochMs() + injectionMs(batch.faults) + batch.ttlSeconds * 1000;
  requireOpenUntil(entries, injection ? Date.parse(injection.endsAt) : latestEndMs);
  const planned = task.plan(targets, batch.faults, batch.ttlSeconds);
  await audit.append(experimentId, 'INJECTING', ACTOR, planned);
  let sent: Sent | undefined;
  try {
    sent = await dispatch(experimentId, planned, injection?.endsAt, dependencies);
    const failures = failuresOf(planned, sent);
    if (failures.length > 0) throw new WorkflowError(ErrorName.InjectionFailed, failures.join('; '));

    const confirmedAtMs = clock.nowEpochMs();
    const injected = injectionAfter(current, batch, confirmedAtMs);
    requireOpenUntil(entries, Date.parse(injected.endsAt));
    // Conditional on HOLD: a lease that went meanwhile is told here.
    await dependencies.leases.setEndsAt(experimentId, injected.endsAt);
    await audit.append(experimentId, 'INJECTED', ACTOR, {
      ...injected,
      faults: batch.faults.map(({ faultId }) => faultId),
      confirmedAt: new Date(confirmedAtMs).toISOString(),
      ...answersOf(planned, sent),
    });
    return injected;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await audit
      .append(experimentId, 'INJECTION_FAILED', ACTOR, { reason, ...answersOf(planned, sent) })
      // The rollback that follows matters more than this entry.
      .catch(() => undefined);
    if (error instanceof WorkflowError) throw error;
    throw new WorkflowError(ErrorName.InjectionFailed, reason, { cause: error });
  }
}

async function waitUntilDue({ experiment, injection }: Batch, clock: Clock): Promise<void> {
  const dueMs = injection && nextDueAtEpochMs(experiment.faults, injection);
  const earlyMs = dueMs === undefined ? 0 : dueMs - clock.nowEpochMs();
  if (earlyMs > MAX_EARLY_MS) {
    const message = `the next faults are due in ${earlyMs} ms: by this clock that is more than ${MAX_EARLY_MS} ms early`;
    throw new WorkflowError(ErrorName.InjectionFailed, message);
  }
  if (earlyMs > 0) await clock.sleep(earlyMs);
}

/**
 * Nothing is injected that nobody watches, and nothing whose effect on a client nobody measures. In a later batch the
 * beats of the beginning prove nothing: a new one must come, and before the common end.
 * @returns the log as it was then
 */
async function waitUntilObserved(
  { experiment: { experimentId, hypothesis }, probed, injection }: Batch,
  { leases, audit, clock }: InjectDependencies,
): Promise<AuditEntry[]> {
  const startedMs = clock.monotonicMs();
  const leftMs = injection ? Date.parse(injection.endsAt) - clock.nowEpochMs() : Number.POSITIVE_INFINITY;
  const watchDeadlineMs = Math.min(OBSERVED_DEADLINE_MS, leftMs);
  const baselineMs = (hypothesis?.checks ?? []).some(isProbed) ? PROBE_BASELINE_MS : 0;
  const readyDeadlineMs = PROBE_READY_DEADLINE_MS + baselineMs;
  let minBeat = MIN_BEAT;
  for (let reads = 1; ; reads++) {
    const lease = await leases.read(experimentId);
    if (lease?.state !== 'HOLD') throw leaseReleased(experimentId, lease);
    if (injection && reads === 1) minBeat = lease.beat + 1;
    const watched = lease.beat >= minBeat;
    const entries = await audit.read(experimentId);
    const ready = entries.flatMap((entry) => (entry.type === 'PROBE_READY' ? [entry.details] : []));
    const unmeasured = probed.filter((shard) => !ready.some((one) => isSameShard(one, shard)));
    if (watched && unmeasured.length === 0) return entries;
    const waitedMs = clock.monotonicMs() - startedMs;
    if (!watched && waitedMs >= watchDeadlineMs) {
      const message = `nobody watches: beat ${lease.beat} after ${watchDeadlineMs / 1000} s, at least ${minBeat}`;
      throw new WorkflowError(ErrorName.InjectionFailed, message);
    }
    if (unmeasured.length > 0 && waitedMs >= readyDeadlineMs) {
      const where = unmeasured.map(shardText).join(', ');
      const message = `nobody measures ${where}: the probe was not ready within ${readyDeadlineMs / 1000} s`;
      throw new WorkflowError(ErrorName.InjectionFailed, message);
    }
    await clock.sleep(WATCH_POLL_MS);
  }
}

/** A fault that was announced before may be applied or not: nobody knows, so it is not sent a second time. */
function refuseRepetition(faults: readonly Fault[], entries: readonly AuditEntry[]): void {
  const announced = announcedFaults(entries);
  const again = faults.filter(({ faultId }) => announced.has(faultId)).map(({ faultId }) => faultId);
  if (again.length === 0) return;
  throw new WorkflowError(ErrorName.InjectionFailed, `announced before, and not known to be applied: ${again.join()}`);
}

/** By then the targets are old: somebody must have looked again, behind the last batch and not long ago. */
function refuseUnchecked(entries: readonly AuditEntry[], clock: Clock): void {
  const last = entries.findLastIndex(({ type }) => type === 'INJECTED');
  const check = entries.slice(last).findLast((entry) => isEntryOf(entry, 'TARGETS_CHECKED'));
  const problems = check?.details.clusters.flatMap((each) => each.problems);
  // `!(…)`: a look at a time that nobody knows is none.
  const isFresh = check && !(clock.nowEpochMs() - Date.parse(check.at) > MAX_CHECK_AGE_MS);
  if (isFresh && problems?.length === 0) return;
  throw new WorkflowError(
    ErrorName.InjectionFailed,
    'nobody has looked at the targets again and found them as they must be',
  );
}

/** The faults that come too late are not injected, and the log says so; nothing else is left to come. */
async function skip(
  experimentId: string,
  { nextFaultAt: _none, ...injection }: Injection,
  { late }: InjectionBatch,
  { audit }: InjectDependencies,
): Promise<Injection> {
  if (late.length === 0) return injection;
  await audit.append(experimentId, 'INJECTION_SKIPPED', ACTOR, {
    faults: late.map(({ faultId }) => faultId),
    reason: `less than a second was left until ${injection.endsAt}`,
  });
  return injection;
}

function injectionAfter(
  { experiment, injection }: Batch,
  { faults }: InjectionBatch,
  confirmedAtMs: number,
): Injection {
  const endMs = confirmedAtMs + experiment.durationSeconds * 1000;
  const injected: Injection = {
    injectedAt: injection?.injectedAt ?? new Date(confirmedAtMs).toISOString(),
    endsAt: injection?.endsAt ?? new Date(endMs).toISOString(),
    injectedFaults: [...(injection?.injectedFaults ?? []), ...faults.map(({ faultId }) => faultId)],
  };
  const nextMs = nextDueAtEpochMs(experiment.faults, injected);
  return nextMs === undefined ? injected : { ...injected, nextFaultAt: new Date(nextMs).toISOString() };
}
