import type { Clock } from '../domain/clock.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import { blind, describeBreaches, evaluate, type NamedCluster, type TrafficBaseline } from '../domain/guardrails.ts';
import { describeEngaged } from '../domain/kill-switch.ts';
import { LATENCY_GUARDRAIL } from '../domain/telemetry.ts';
import {
  FIS_INJECTION_DEADLINE_MS,
  GUARD_ENGAGING_MS,
  GUARD_LAST_ACT_MS,
  INJECTION_DEADLINE_MS,
} from '../domain/timing.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import type { Reading, ReleaseReason } from '../domain/workflow.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { KillSwitches } from '../tables/kill-switches.ts';
import type { Lease, Leases } from '../tables/leases.ts';
import type { Telemetry } from '../telemetry/prometheus.ts';
import { readTelemetry } from '../telemetry/snapshot.ts';
import type { BystanderWatch } from './bystander-watch.ts';
import type { StoreGate } from './store-gate.ts';
import { nextTickIntervalMs, samplesOf } from './tick.ts';

export interface GuardDependencies {
  leases: Pick<Leases, 'renew' | 'read' | 'release'>;
  switches: Pick<KillSwitches, 'engaged'>;
  audit: Pick<AuditLog, 'append'>;
  /**
   * Tells the alarm that bounds service faults that these clusters are watched. Not waited for, and its failure is
   * nobody's: the alarm sees the silence. Called after every beat; how often it speaks is its own affair.
   */
  heartbeat?: (clusters: readonly string[]) => Promise<void>;
  /** What an evaluation saw, for a dashboard; its failure is nobody's. */
  publish?: (readings: readonly Reading[], leaseAgeSeconds: number | undefined) => void;
  clock: Clock;
  /** How long this process may still run, milliseconds. */
  remainingMs: () => number;
}

/** One cluster of the experiment, and how it is seen. */
export interface WatchedCluster extends NamedCluster {
  baseline: TrafficBaseline;
  telemetry: Telemetry;
  /** Absent where only guardrails can end a fault. */
  gate?: Pick<StoreGate, 'start' | 'stop' | 'reading'> | undefined;
}

export interface GuardTask {
  experimentId: string;
  /** All are watched; a breach of any ends everything. */
  clusters: readonly WatchedCluster[];
  /** Whether a fault runs in a service, out of the lease's reach. */
  hasFisFaults: boolean;
  /** Looks at the clusters that no experiment touches; absent: nobody does. No beat waits for it. */
  bystanders?: Pick<BystanderWatch, 'start' | 'stop'>;
}

/** Why the guard stops watching, and what that makes of the lease. */
interface Stop {
  reason: ReleaseReason;
  detail: string;
  error?: ErrorName;
  breaches?: Reading[];
}

/**
 * Watches until the lease's `endsAt`: evaluate → breached? release the lease first, then tell; passed? the kill
 * switch, then the beat as the last act. Whatever goes wrong on the way counts as a breach.
 *
 * @throws WorkflowError GuardrailBreached, or LeaseReleased when somebody else released it or nothing was injected.
 */
export async function guard(task: GuardTask, dependencies: GuardDependencies): Promise<void> {
  const startedMs = dependencies.clock.monotonicMs();
  const gates = task.clusters.flatMap(({ gate }) => gate ?? []);
  try {
    // No beat, and so no fault, before each store was asked once; one that has not answered is a breach at once.
    await Promise.all(gates.map((gate) => gate.start()));
    task.bystanders?.start();
    await watch(task, dependencies, startedMs);
  } finally {
    for (const gate of gates) gate.stop();
    // A kill switch that is on record as engaged is written before this process ends; but it is not waited for without end.
    const stopped = task.bystanders?.stop() ?? Promise.resolve();
    await attempt('kill switch left while it was being engaged', () =>
      withDeadline(stopped, dependencies.clock, GUARD_ENGAGING_MS),
    );
  }
}

async function watch(task: GuardTask, dependencies: GuardDependencies, startedMs: number): Promise<void> {
  const { clock } = dependencies;
  const peakP99LatencyMs: Record<string, number> = {};
  let lease: Lease | undefined;
  let beatMs: number | undefined;
  for (let evaluations = 1; ; evaluations++) {
    const tickMs = clock.monotonicMs();
    // All at once, each call with its own bound: a second cluster makes no evaluation longer.
    const seen = (await Promise.all(task.clusters.map(look))).flat();
    // What the stores said last: nothing is asked here, and how old it is makes no evaluation come sooner.
    const readings = [...seen, ...task.clusters.flatMap(({ gate }) => gate?.reading() ?? [])];
    for (const { guardrail, cluster, value } of readings) {
      if (guardrail !== LATENCY_GUARDRAIL || value === undefined) continue;
      peakP99LatencyMs[cluster] = Math.max(peakP99LatencyMs[cluster] ?? 0, value);
    }

    const stop =
      breach(readings) ??
      deadlineStop(task, lease, startedMs, dependencies) ??
      (await killed(task, dependencies)) ??
      (await renewOrStop());
    if (stop) {
      // First the release; what was seen is told all the same.
      return end(task, dependencies, stop, { peakP99LatencyMs, evaluations }).finally(() =>
        publishSafely(dependencies, readings, undefined),
      );
    }
    const renewedMs = clock.monotonicMs();
    publishSafely(dependencies, readings, beatMs === undefined ? undefined : (renewedMs - beatMs) / 1000);
    beatMs = renewedMs;

    const elapsedMs = clock.monotonicMs() - tickMs;
    const untilTickMs = nextTickIntervalMs(samplesOf(task.clusters, seen)) - elapsedMs;
    // The end of the TTL does not wait for the next scrape.
    const untilEndMs = lease?.endsAt === undefined ? untilTickMs : Date.parse(lease.endsAt) - clock.nowEpochMs();
    await clock.sleep(Math.max(0, Math.min(untilTickMs, untilEndMs)));

    async function renewOrStop(): Promise<Stop | undefined> {
      try {
        lease = await dependencies.leases.renew(task.experimentId, readings);
      } catch (error) {
        return notRenewed(task, dependencies, error);
      }
      sendHeartbeat(task, dependencies);
      return undefined;
    }
  }
}

/** After the beat or the release: neither waits for it. */
function publishSafely(
  { publish }: GuardDependencies,
  readings: readonly Reading[],
  leaseAgeSeconds: number | undefined,
): void {
  try {
    publish?.(readings, leaseAgeSeconds);
  } catch (error) {
    log.warn('readings not published', { error: messageOf(error) });
  }
}

async function look(watched: WatchedCluster): Promise<Reading[]> {
  const { cluster, baseline, telemetry } = watched;
  try {
    return evaluate(watched, await readTelemetry(telemetry, cluster), baseline);
  } catch (error) {
    return blind(watched, baseline, `the evaluation failed: ${messageOf(error)}`);
  }
}

/** Only after a beat, and only where an alarm listens: the beat itself waits for none of it. */
function sendHeartbeat({ clusters, hasFisFaults }: GuardTask, { heartbeat }: GuardDependencies): void {
  if (!hasFisFaults || !heartbeat) return;
  const names = clusters.map(({ name }) => name);
  // In a promise of its own, so that not even what it throws at once gets through.
  Promise.resolve(names)
    .then(heartbeat)
    .catch((error: unknown) => log.warn('heartbeat not sent', { clusters: names, error: messageOf(error) }));
}

function breach(readings: Reading[]): Stop | undefined {
  const breaches = readings.filter((reading) => reading.breached);
  if (breaches.length === 0) return undefined;
  return { reason: 'GUARDRAIL', detail: describeBreaches(readings), error: ErrorName.GuardrailBreached, breaches };
}

/** The ends that are due by time: the TTL, an injection that never came, this process's own end. */
function deadlineStop(
  { hasFisFaults }: GuardTask,
  lease: Lease | undefined,
  startedMs: number,
  { clock, remainingMs }: GuardDependencies,
): Stop | undefined {
  const injectionDeadlineMs = hasFisFaults ? FIS_INJECTION_DEADLINE_MS : INJECTION_DEADLINE_MS;
  const endsAtMs = lease?.endsAt === undefined ? undefined : Date.parse(lease.endsAt);
  if (endsAtMs !== undefined && !(clock.nowEpochMs() < endsAtMs)) {
    return { reason: 'TTL', detail: `held until ${lease?.endsAt}` };
  }
  if (endsAtMs === undefined && clock.monotonicMs() - startedMs > injectionDeadlineMs) {
    const detail = `nothing was injected within ${injectionDeadlineMs / 1000} s`;
    return { reason: 'ROLLBACK', detail, error: ErrorName.LeaseReleased };
  }
  if (remainingMs() < GUARD_LAST_ACT_MS) {
    return { reason: 'GUARDRAIL', detail: 'the guard has no time left to watch', error: ErrorName.GuardrailBreached };
  }
  return undefined;
}

async function killed({ clusters }: GuardTask, { switches }: GuardDependencies): Promise<Stop | undefined> {
  try {
    const engaged = await switches.engaged(clusters.map(({ name }) => name));
    return engaged && { reason: 'KILL_SWITCH', detail: describeEngaged(engaged), error: ErrorName.LeaseReleased };
  } catch (error) {
    const detail = `the kill switch could not be read: ${messageOf(error)}`;
    return { reason: 'GUARDRAIL', detail, error: ErrorName.GuardrailBreached };
  }
}

async function notRenewed({ experimentId }: GuardTask, { leases }: GuardDependencies, error: unknown): Promise<Stop> {
  if (!(error instanceof WorkflowError)) {
    const detail = `the lease could not be renewed: ${messageOf(error)}`;
    return { reason: 'GUARDRAIL', detail, error: ErrorName.GuardrailBreached };
  }
  const reason = await leases.read(experimentId).then(
    (row) => row?.releaseReason,
    () => undefined,
  );
  return { reason: reason ?? 'ROLLBACK', detail: error.message, error: ErrorName.LeaseReleased };
}

/** Releases the lease, then writes, then says so. At the TTL the rollback releases; here nothing went wrong. */
async function end(
  { experimentId }: GuardTask,
  { leases, audit }: GuardDependencies,
  stop: Stop,
  seen: { peakP99LatencyMs: Record<string, number>; evaluations: number },
): Promise<void> {
  const { error: errorName, breaches = [], ...why } = stop;
  // Without the release the hosts revert all the same: no beat follows.
  if (errorName) await attempt('lease not released', () => leases.release(experimentId, stop.reason, stop.detail));
  await attempt('GUARD_STOPPED not written', () =>
    audit.append(experimentId, 'GUARD_STOPPED', { function: 'guard' }, { ...why, breaches, ...seen }),
  );
  if (errorName) throw new WorkflowError(errorName, stop.detail);
}

async function attempt(failure: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    log.error(failure, { error: messageOf(error) });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
