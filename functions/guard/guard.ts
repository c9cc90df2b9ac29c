import type { AuditLog } from '../audit/audit-log.ts';
import type { Cluster } from '../experiment/configuration.ts';
import { ErrorName, WorkflowError } from '../experiment/errors.ts';
import type { Reading } from '../experiment/workflow.ts';
import type { Clock } from '../shared/clock.ts';
import { log } from '../shared/log.ts';
import { blind, describeBreaches, evaluate, oldestAgeSeconds, type TrafficBaseline } from './guardrails.ts';
import type { Lease, LeaseStore, ReleaseReason } from './lease.ts';
import { readTelemetry, type Telemetry } from './prometheus.ts';
import { nextTickIntervalMs } from './tick.ts';

/** A lease for which nothing is injected is not held for ever. */
const INJECTION_DEADLINE_MS = 60_000;
/** The guard stops by itself while it still has the time to release the lease and to write why. */
const LAST_ACT_MS = 8_000;

export interface GuardDependencies {
  leases: Pick<LeaseStore, 'renew' | 'read' | 'release' | 'killSwitchEngaged'>;
  audit: Pick<AuditLog, 'append'>;
  telemetry: Telemetry;
  clock: Clock;
  /** How long this process may still run, milliseconds. */
  remainingMs: () => number;
}

export interface GuardTask {
  experimentId: string;
  cluster: Cluster;
  baseline: TrafficBaseline;
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
  let peakP99LatencyMs: number | undefined;
  let lease: Lease | undefined;
  for (let evaluations = 1; ; evaluations++) {
    const tickMs = clock.monotonicMs();
    const readings = await look(task, dependencies);
    const p99 = readings.find((reading) => reading.guardrail === 'p99WriteLatencyMs')?.value;
    if (p99 !== undefined) peakP99LatencyMs = Math.max(peakP99LatencyMs ?? 0, p99);

    const stop =
      breach(readings) ??
      untimely(lease, startedMs, dependencies) ??
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
        return undefined;
      } catch (error) {
        return notRenewed(task, dependencies, error);
      }
    }
  }
}

async function look({ cluster, baseline }: GuardTask, { telemetry }: GuardDependencies): Promise<Reading[]> {
  try {
    return evaluate(cluster, await readTelemetry(telemetry, cluster), baseline);
  } catch (error) {
    return blind(cluster, baseline, `the evaluation failed: ${messageOf(error)}`);
  }
}

function breach(readings: Reading[]): Stop | undefined {
  const breaches = readings.filter((reading) => reading.breached);
  if (breaches.length === 0) return undefined;
  return { reason: 'GUARDRAIL', detail: describeBreaches(breaches), error: ErrorName.GuardrailBreached, breaches };
}

/** The ends that are due by time: the TTL, an injection that never came, this process's own end. */
function untimely(lease: Lease | undefined, startedMs: number, dependencies: GuardDependencies): Stop | undefined {
  const { clock, remainingMs } = dependencies;
  const holdUntilMs = lease?.holdUntil === undefined ? undefined : Date.parse(lease.holdUntil);
  if (holdUntilMs !== undefined && !(clock.nowEpochMs() < holdUntilMs)) {
    return { reason: 'TTL', detail: `held until ${lease?.holdUntil}` };
  }
  if (holdUntilMs === undefined && clock.monotonicMs() - startedMs > INJECTION_DEADLINE_MS) {
    const detail = `nothing was injected within ${INJECTION_DEADLINE_MS / 1000} s`;
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
  seen: { peakP99LatencyMs: number | undefined; evaluations: number },
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
