import { type AuditEntry, isEntryOf, lastOf } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { evaluate, type NamedCluster } from '../domain/guardrails.ts';
import { type Evaluation, rollbackWatch } from '../domain/rollback-watch.ts';
import { HISTORY_TIMEOUT_MS, LOOK_BACK_SECONDS, PATIENCE } from '../domain/timing.ts';
import type { Baseline } from '../domain/workflow.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { readHistory } from '../telemetry/history.ts';
import type { Telemetry } from '../telemetry/prometheus.ts';

const POLL_INTERVAL_MS = 1000;
/** Where the guard releases the lease, its entry comes so much after its last evaluation: a little is seen twice. */
const OVERLAP_MS = PATIENCE.lease.withinMs + 1000;

/** One cluster of the experiment, and how its past is seen. */
export interface RememberedCluster extends NamedCluster {
  telemetry: Pick<Telemetry, 'history'>;
}

export interface WatchDependencies {
  audit: Pick<AuditLog, 'append' | 'read'>;
  clock: Clock;
}

/**
 * The guard's readings go on through rollback and recovery, read back from Prometheus once the recovery is over. So nothing
 * runs beside the rollback that could delay it or hold a lease, and no second between the two is missed. Nothing is
 * done about a breach here: there is no fault left to end. The verdict speaks of it.
 *
 * Waits for a scrape of every source that is younger than now, as long as one may take; what is not there by then is said.
 */
export async function watchRollback(
  experimentId: string,
  clusters: readonly RememberedCluster[],
  { audit, clock }: WatchDependencies,
): Promise<void> {
  const entries = await audit.read(experimentId);
  const isOver = entries.some(({ type }) => type === 'CONCLUDED');
  const fromMs = watchedUntilMs(entries);
  if (isOver || fromMs === undefined) return;
  const baselines = lastOf(entries, 'STEADY_STATE_CONFIRMED')?.baselines ?? {};
  const recoveredMs = clock.nowEpochMs();
  const deadlineMs = clock.monotonicMs() + LOOK_BACK_SECONDS * 1000;
  for (;;) {
    const untilMs = clock.nowEpochMs();
    const seen = await Promise.all(clusters.map((cluster) => lookBack(cluster, baselines, fromMs, untilMs)));
    const isComplete = seen.every((evaluations) => covers(evaluations, recoveredMs));
    if (isComplete || clock.monotonicMs() + POLL_INTERVAL_MS + HISTORY_TIMEOUT_MS >= deadlineMs) {
      const watch = rollbackWatch(seen.flat(), fromMs, untilMs);
      await audit.append(experimentId, 'ROLLBACK_WATCHED', { function: 'verify-recovery' }, watch);
      return;
    }
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

/** Until when the guard has watched; where it said nothing, from the injection on. Undefined: nothing was injected. */
function watchedUntilMs(entries: readonly AuditEntry[]): number | undefined {
  const injecting = entries.find(({ type }) => type === 'INJECTING');
  if (!injecting) return undefined;
  const stopped = entries.find((entry) => isEntryOf(entry, 'GUARD_STOPPED'));
  if (!stopped) return Date.parse(injecting.at);
  return Date.parse(stopped.at) - (stopped.details.reason === 'TTL' ? 0 : OVERLAP_MS);
}

async function lookBack(
  named: RememberedCluster,
  baselines: Readonly<Record<string, Baseline>>,
  fromMs: number,
  toMs: number,
): Promise<Evaluation[]> {
  const { name, cluster, telemetry } = named;
  // Without one, what it is compared with is no number, and that is a breach that says nothing.
  const baseline = baselines[name] ?? { liveGateways: Number.NaN, requestsPerSecond: Number.NaN };
  const history = await readHistory(telemetry, cluster, fromMs, toMs);
  return history.map(({ atMs, snapshot }) => ({ atMs, readings: evaluate(named, snapshot, baseline) }));
}

/** Whether every source was scraped again since then. */
function covers(evaluations: readonly Evaluation[], sinceMs: number): boolean {
  const last = evaluations.at(-1);
  if (!last) return false;
  return last.readings.every(({ ageSeconds = Number.NaN }) => last.atMs - ageSeconds * 1000 >= sinceMs);
}
