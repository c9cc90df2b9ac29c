import { type AuditEntry, isEntryOf } from '../domain/audit-entry.ts';
import { budgetLimits } from '../domain/budgets.ts';
import type { Clock } from '../domain/clock.ts';
import type { Cluster } from '../domain/configuration.ts';
import { clustersOf, type Experiment } from '../domain/experiment.ts';
import { type FailureMode, findingsOf } from '../domain/failure-modes.ts';
import { isSameShard, probedShards } from '../domain/probed-shards.ts';
import { recordsOf } from '../domain/records.ts';
import { stateOf } from '../domain/status.ts';
import { PROBE_MEASURED_DEADLINE_MS } from '../domain/timing.ts';
import { judge, leavesClusterFree } from '../domain/verdict.ts';
import type { ExperimentRun, Verdict } from '../domain/workflow.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Locks } from '../tables/locks.ts';
import type { Records } from '../tables/records.ts';

const POLL_MS = 500;

export interface ConcludeDependencies {
  audit: Pick<AuditLog, 'append' | 'read'>;
  locks: Pick<Locks, 'release'>;
  records: Pick<Records, 'write'>;
  /** Counts the verdict, once an experiment. */
  publish(experiment: Experiment, verdict: Verdict, entries: readonly AuditEntry[]): void;
  clusters: Readonly<Record<string, Pick<Cluster, 'budgets'>>>;
  /** Those that are known of the engine of a cluster. */
  failureModes(cluster: string): readonly FailureMode[];
  clock: Clock;
}

/**
 * Waits for the probe, writes the records, then CONCLUDED, then frees the clusters: as long as the
 * verdict is not in the log, or the rollback has not succeeded, nobody else may start there. The first verdict stands:
 * repeating it only frees the locks.
 */
export async function conclude(run: ExperimentRun, dependencies: ConcludeDependencies): Promise<Verdict> {
  const { experimentId } = run;
  const { audit, clusters, locks } = dependencies;
  const entries = await entriesWithProbe(experimentId, dependencies);
  const state = stateOf(entries);
  // Budgets and locks are those of what was admitted, whatever somebody hands over.
  const experiment = state.experiment ?? { ...run.experiment, experimentId, faults: [] };
  let { verdict } = state;
  if (!verdict) {
    const judged = judge(entries, budgetLimits(experiment, clusters));
    const findings = findingsOf(entries, judged.checks ?? [], dependencies.failureModes);
    verdict = { ...judged, ...(findings.length === 0 ? {} : { findings }) };
    for (const row of recordsOf(experimentId, entries)) await dependencies.records.write(row);
    await audit.append(experimentId, 'CONCLUDED', { function: 'conclude-experiment' }, verdict);
    dependencies.publish(experiment, verdict, entries);
  }
  if (leavesClusterFree(verdict, entries)) {
    for (const cluster of clustersOf(experiment)) await locks.release(cluster, experimentId);
  }
  return verdict;
}

async function entriesWithProbe(experimentId: string, { audit, clock }: ConcludeDependencies): Promise<AuditEntry[]> {
  const deadlineMs = clock.monotonicMs() + PROBE_MEASURED_DEADLINE_MS;
  for (;;) {
    const entries = await audit.read(experimentId);
    const has = (type: AuditEntry['type']) => entries.some((entry) => entry.type === type);
    // The probe is started just before the injection; a run that never came so far has none to wait for.
    if (has('CONCLUDED') || isMeasured(entries) || !has('INJECTING')) return entries;
    if (clock.monotonicMs() >= deadlineMs) return entries;
    await clock.sleep(POLL_MS);
  }
}

/** On every shard on which it is to be. */
function isMeasured(entries: readonly AuditEntry[]): boolean {
  const { experiment, targets } = stateOf(entries);
  const measured = entries.filter((entry) => isEntryOf(entry, 'PROBE_MEASURED'));
  return probedShards(experiment?.faults ?? [], targets).every((shard) =>
    measured.some(({ details }) => isSameShard(details, shard)),
  );
}
