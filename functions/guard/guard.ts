import type { Clock } from '../domain/clock.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import {
  blind,
  describeBreaches,
  evaluate,
  type NamedCluster,
  oldestAgeSeconds,
  type TrafficBaseline,
} from '../domain/guardrails.ts';
import type { Reading } from '../domain/workflow.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Lease, LeaseStore, ReleaseReason } from '../tables/leases.ts';
import { readTelemetry, type Telemetry } from '../telemetry/prometheus.ts';
import { nextTickIntervalMs } from './tick.ts';

/** A lease for which nothing is injected is not held for ever: what *Inject fault* may take, and a little. */
const INJECTION_DEADLINE_MS = 60_000;
/** FIS takes its time: the alarm over this guard must be OK first, then the experiment starts. */
const SERVICE_INJECTION_DEADLINE_MS = 150_000;
/** The guard stops by itself while it still has the time to release the lease and to write why. */
const LAST_ACT_MS = 8_000;

export interface GuardDependencies {
  leases: Pick<LeaseStore, 'renew' | 'read' | 'release' | 'killSwitchEngaged'>;
  audit: Pick<AuditLog, 'append'>;
  /**
   * Tells the alarm that bounds service faults that these clusters are watched. Not waited for, and its failure is
   * nobody's: the alarm sees the silence. Called after every beat; how often it speaks is its own affair.
   */
  heartbeat?: (clusters: readonly string[]) => Promise<void>;
  clock: Clock;
  /** How long this process may still run, milliseconds. */
  remainingMs: () => number;
}

/** One cluster of the experiment, and how it is seen. */
export interface WatchedCluster extends NamedCluster {
  baseline: TrafficBaseline;
  telemetry: Telemetry;
}

export interface GuardTask {
  experimentId: string;
  /** All are watched; a breach of any ends everything. */
  clusters: readonly WatchedCluster[];
  /** Whether a fault runs in a service, out of the lease's reach. */
  hasServiceFaults: boolean;
}

/** Why the guard stops watching, and what that makes of the lease. */
interface Stop {
  reason: ReleaseReason;
  detail: string;
  error?: ErrorName;
  breaches?: Reading[];
}

/**
 * Watches until the lease's `holdUntil`: evaluate → breached? release the lease first, then tell; passed? the kill
 * switch, then the beat as the last act. Whatever goes wrong on the way counts as a breach.
 *
 * @throws WorkflowError GuardrailBreached, or LeaseReleased when somebody else let go or nothing was injected.
 */
export async function guard(task: GuardTask, dependencies: GuardDependencies): Promise<void> {
  const { clock } = dependencies;
  const startedMs = clock.monotonicMs();
  const peakP99LatencyMs: Record<string, number> = {};
  let lease: Lease | undefined;
  for (let evaluations = 1; ; evaluations++) {
    const tickMs = clock.monotonicMs();
    // All at once, each call with its own bound: a second cluster makes no evaluation longer.
    const readings = (await Promise.all(task.clusters.map(look))).flat();
    for (const { guardrail, cluster, value } of readings) {
      if (guardrail !== 'p99WriteLatencyMs' || value === undefined) continue;
      peakP99LatencyMs[cluster] = Math.max(peakP99LatencyMs[cluster] ?? 0, value);
    }

    const stop =
      breach(readings) ??
      untimely(task, lease, startedMs, dependencies) ??
      (await killed(dependencies)) ??
      (await renewOrStop());
    if (stop) return end(task, dependencies, stop, { peakP99LatencyMs, evaluations });

    const elapsedMs = clock.monotonicMs() - tickMs;
    const untilTickMs = nextTickIntervalMs(oldestAgeSeconds(readings)) - elapsedMs;
    // The end of the TTL does not wait for the next scrape.
    const untilEndMs = lease?.holdUntil === undefined ? untilTickMs : Date.parse(lease.holdUntil) - clock.nowEpochMs();
    await clock.sleep(Math.max(0, Math.min(untilTickMs, untilEndMs)));

    async function renewOrStop(): Promise<Stop | undefined> {
      try {
        lease = await dependencies.leases.renew(task.experimentId, readings);
      } catch (error) {
        return notRenewed(task, dependencies, error);
      }
      sayAlive(task, dependencies);
      return undefined;
    }
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

/** Only behind a beat, and only where an alarm listens: the beat itself waits for none of it. */
function sayAlive({ clusters, hasServiceFaults }: GuardTask, { heartbeat }: GuardDependencies): void {
  if (!hasServiceFaults || !heartbeat) return;
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
function untimely(
  { hasServiceFaults }: GuardTask,
  lease: Lease | undefined,
  startedMs: number,
  { clock, remainingMs }: GuardDependencies,
): Stop | undefined {
  const injectionDeadlineMs = hasServiceFaults ? SERVICE_INJECTION_DEADLINE_MS : INJECTION_DEADLINE_MS;
  const holdUntilMs = lease?.holdUntil === undefined ? undefined : Date.parse(lease.holdUntil);
  if (holdUntilMs !== undefined && !(clock.nowEpochMs() < holdUntilMs)) {
    return { reason: 'TTL', detail: `held until ${lease?.holdUntil}` };
  }
  if (holdUntilMs === undefined && clock.monotonicMs() - startedMs > injectionDeadlineMs) {
    const detail = `nothing was injected within ${injectionDeadlineMs / 1000} s`;
    return { reason: 'ROLLBACK', detail, error: ErrorName.LeaseReleased };
  }
  if (remainingMs() < LAST_ACT_MS) {
    return { reason: 'GUARDRAIL', detail: 'the guard has no time left to watch', error: ErrorName.GuardrailBreached };
  }
  return undefined;
}

async function killed({ leases }: GuardDependencies): Promise<Stop | undefined> {
  try {
    if (!(await leases.killSwitchEngaged())) return undefined;
    return { reason: 'KILL_SWITCH', detail: 'the kill switch is engaged', error: ErrorName.LeaseReleased };
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

/** Lets the hosts go, then writes, then says so. At the TTL the rollback releases; here nothing went wrong. */
async function end(
  { experimentId }: GuardTask,
  { leases, audit }: GuardDependencies,
  stop: Stop,
  seen: { peakP99LatencyMs: Record<string, number>; evaluations: number },
): Promise<void> {
  const { error: errorName, breaches = [], ...why } = stop;
  // Without the release the hosts let go all the same: no beat follows.
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
