import { type AuditEntry, isEntryOf, lastOf } from './audit-entry.ts';
import { isSameShard, probedShards, type ShardName } from './probed-shards.ts';
import { stateOf } from './status.ts';
import { PROBE_MAX_GAP_MS } from './timing.ts';
import type { ProbeMeasurement } from './workflow.ts';

/** What is known of one impacted shard's client. A number that was not measured is absent. */
export interface ShardEvidence extends ShardName {
  /** Longest outage; 0 when no operation failed from the fault on. */
  rtoSeconds?: number;
  /** All outages together. */
  unavailableSeconds?: number;
  lostAcknowledgedWrites?: number;
  duplicatedRecords?: number;
  reorderedRecords?: number;
  overwrittenWrites?: number;
  resurrectedWrites?: number;
  unacknowledgedWrites?: number;
  staleReads?: number;
  /** The client had not recovered when the probe ended. */
  stillFailing: boolean;
  /** Why nothing of it counts, in words. */
  problem?: string;
}

/**
 * The evidence for each impacted shard. A measurement counts only when one probe looked all the time, from before the
 * fault until the recovery was verified: of anything else nobody knows what happened meanwhile. What was written after
 * the verdict changes nothing.
 */
export function evidenceOf(entries: readonly AuditEntry[]): ShardEvidence[] {
  const concluded = entries.findIndex(({ type }) => type === 'CONCLUDED');
  const run = concluded < 0 ? entries : entries.slice(0, concluded);
  const { experiment, targets } = stateOf(run);
  return probedShards(experiment?.faults ?? [], targets).map(({ cluster, shard }) => {
    const name = { cluster, shard };
    const own = run.flatMap((entry) => {
      const by = probedBy(entry);
      return by && isSameShard(by, name) ? [{ entry, invocation: by.invocation }] : [];
    });
    const measured = lastOf(
      own.map(({ entry }) => entry),
      'PROBE_MEASURED',
    );
    if (!measured) return { ...name, stillFailing: false, problem: 'the probe left no report' };
    const invocations = new Set(own.map(({ invocation }) => invocation)).size;
    const problem =
      invocations > 1 ? `measured by ${invocations} invocations of the probe at once` : notObserved(measured, run);
    return problem === undefined ? counted(name, measured) : { ...name, stillFailing: false, problem };
  });
}

/** Which probe wrote it. */
function probedBy(entry: AuditEntry): Pick<ProbeMeasurement, 'cluster' | 'shard' | 'invocation'> | undefined {
  if (entry.type === 'CHECKS_OBSERVED') return entry.details.probed;
  return isEntryOf(entry, 'PROBE_READY', 'LATENCY_RECORDED', 'PROBE_MEASURED') ? entry.details : undefined;
}

function counted(name: ShardName, measured: ProbeMeasurement): ShardEvidence {
  const { stillFailing, rtoSeconds = 0, unavailableSeconds = 0 } = measured;
  const { acknowledgedWrites, lostAcknowledgedWrites, records, values, staleReads } = measured;
  return {
    ...name,
    stillFailing,
    // A client that was still failing has no recovery time.
    ...(stillFailing ? {} : { rtoSeconds, unavailableSeconds }),
    ...(acknowledgedWrites > 0 && lostAcknowledgedWrites !== undefined ? { lostAcknowledgedWrites } : {}),
    ...(acknowledgedWrites > 0 && records
      ? { duplicatedRecords: records.duplicated, reorderedRecords: records.reordered }
      : {}),
    ...(acknowledgedWrites > 0 && values
      ? {
          overwrittenWrites: values.overwritten,
          resurrectedWrites: values.resurrected,
          unacknowledgedWrites: unacknowledgedIn(values),
        }
      : {}),
    ...(acknowledgedWrites > 0 && staleReads !== undefined ? { staleReads } : {}),
  };
}

function unacknowledgedIn({ unacknowledgedThrough }: NonNullable<ProbeMeasurement['values']>): number {
  return Object.values(unacknowledgedThrough).reduce((sum, count) => sum + count, 0);
}

/** Why nobody knows what a client of the shard saw, or undefined. */
function notObserved(measured: ProbeMeasurement, run: readonly AuditEntry[]): string | undefined {
  const { observedFrom, observedUntil, largestGapSeconds, provenOnImpacted } = measured;
  if (observedFrom === undefined || observedUntil === undefined) return 'the probe never wrote';
  const announcedAt = run.find(({ type }) => type === 'INJECTING')?.at;
  if (announcedAt === undefined) return 'there was no fault to measure';
  if (!provenOnImpacted) return 'the impacted nodes were not seen to have a write of the probe before the fault';
  if (Date.parse(observedFrom) > Date.parse(announcedAt))
    return `the probe began at ${observedFrom}, after the fault was announced at ${announcedAt}`;
  // `!(…)`: a gap that nobody knows is too long.
  if (!(largestGapSeconds <= PROBE_MAX_GAP_MS / 1000))
    return `the probe did nothing for ${largestGapSeconds} s, at most ${PROBE_MAX_GAP_MS / 1000} s may pass unseen`;
  const rolledBack = run.findLastIndex((entry) => isEntryOf(entry, 'ROLLED_BACK', 'ROLLBACK_FAILED'));
  const recovered = run.slice(rolledBack).findLast((entry) => isEntryOf(entry, 'RECOVERY_VERIFIED', 'RECOVERY_FAILED'));
  if (rolledBack < 0 || !recovered) return 'the end of the recovery is not in the log';
  if (Date.parse(observedUntil) >= Date.parse(recovered.at)) return undefined;
  return `the probe looked until ${observedUntil}, the recovery took until ${recovered.at}`;
}
