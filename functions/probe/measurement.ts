import type { AuditEntry, EntryDetails } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { outages, rtoSeconds, unavailableSeconds, worstOutage } from '../domain/rto.ts';
import type { ProbeMeasurement } from '../domain/workflow.ts';
import { faultAtEpochMs } from './fault-time.ts';
import type { Observed } from './shard-client.ts';

/** What is said of one shard. What could not be measured is absent. */
export function measurement(
  name: Pick<ProbeMeasurement, 'cluster' | 'shard' | 'invocation'>,
  seen: Observed,
  entries: readonly AuditEntry[],
  clock: Clock,
): EntryDetails['PROBE_MEASURED'] {
  const epochOffsetMs = clock.nowEpochMs() - clock.monotonicMs();
  const iso = (monotonicMs: number) => new Date(monotonicMs + epochOffsetMs).toISOString();
  const found = outages(seen.operations);
  // Of a fault whose time is not known every outage counts, and no proof came before it.
  const faultAtMs = (faultAtEpochMs(entries) ?? -Infinity) - epochOffsetMs;
  const worst = worstOutage(found, faultAtMs);
  const [rto, unavailable] = [rtoSeconds(worst), unavailableSeconds(found, faultAtMs)];
  const [first, last] = [seen.starts[0], seen.starts.at(-1)];
  return {
    ...name,
    ...(first ? { observedFrom: iso(first.monotonicMs) } : {}),
    ...(last ? { observedUntil: iso(last.monotonicMs) } : {}),
    largestGapSeconds: largestGapMs(seen.starts, faultAtMs) / 1000,
    ...(rto === undefined ? {} : { rtoSeconds: rto }),
    ...(unavailable === undefined ? {} : { unavailableSeconds: unavailable }),
    // Without a single operation nobody knows that it works.
    stillFailing: seen.operations.length === 0 || found.some((outage) => outage.recoveredAtMs === undefined),
    attemptedWrites: seen.keys.length,
    acknowledgedWrites: seen.acknowledged.size,
    ...(seen.lostAcknowledgedWrites === undefined ? {} : { lostAcknowledgedWrites: seen.lostAcknowledgedWrites }),
    failedWrites: seen.operations.filter(({ ok }) => !ok).length,
    ...(worst ? { firstFailureAt: iso(worst.firstFailureAtMs) } : {}),
    ...(worst?.recoveredAtMs === undefined ? {} : { recoveredAt: iso(worst.recoveredAtMs) }),
    ...(seen.promotion ? { promotion: seen.promotion } : {}),
    // Proven while the fault was on is not proven: nobody saw what the client could do before.
    provenOnImpacted: seen.provenAtMs !== undefined && seen.provenAtMs < faultAtMs,
    outages: found.length,
    problems: seen.problems,
  };
}

/** The longest time without an operation that lasted into the fault, by the clock that says more. */
function largestGapMs(starts: Observed['starts'], faultAtMs: number): number {
  return starts.slice(1).reduce((largest, { monotonicMs, epochMs }, index) => {
    const before = starts[index];
    if (!before || monotonicMs <= faultAtMs) return largest;
    return Math.max(largest, Math.round(monotonicMs - before.monotonicMs), epochMs - before.epochMs);
  }, 0);
}
