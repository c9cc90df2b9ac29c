import type { AuditEntry, EntryDetails } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { latencySummary } from '../domain/open-loop.ts';
import { recoveryPhases } from '../domain/recovery-phases.ts';
import { type Outage, outages, rtoSeconds, unavailableSeconds, worstOutage } from '../domain/rto.ts';
import type { ProbeMeasurement, RecoveryPhase } from '../domain/workflow.ts';
import type { WriteAccount } from '../engines/engine.ts';
import { faultAtEpochMs } from './fault-time.ts';
import type { Observed } from './observed.ts';

/** What is said of one shard. What could not be measured is absent. */
export function measurement(
  name: Pick<ProbeMeasurement, 'cluster' | 'shard' | 'invocation'>,
  seen: Observed,
  entries: readonly AuditEntry[],
  { clock, copiesMeasure }: { clock: Clock; copiesMeasure: string },
): EntryDetails['PROBE_MEASURED'] {
  const epochOffsetMs = clock.nowEpochMs() - clock.monotonicMs();
  const iso = (monotonicMs: number) => new Date(monotonicMs + epochOffsetMs).toISOString();
  const found = outages(seen.operations);
  // Of a fault whose time is not known every outage counts, and no proof came before it.
  const faultAtMs = (faultAtEpochMs(entries) ?? -Infinity) - epochOffsetMs;
  const worst = worstOutage(found, faultAtMs);
  const [rto, unavailable] = [rtoSeconds(worst), unavailableSeconds(found, faultAtMs)];
  const [first, last] = [seen.starts[0], seen.starts.at(-1)];
  const [writeMs, readMs, consumerLagMs] = [seen.writes, seen.reads, seen.consumes].map((operations) =>
    latencySummary(operations, faultAtMs),
  );
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
    acknowledgedWrites: seen.account?.acknowledged ?? seen.acknowledged.size,
    ...(seen.lostAcknowledgedWrites === undefined ? {} : { lostAcknowledgedWrites: seen.lostAcknowledgedWrites }),
    ...(seen.lossSpanSeconds === undefined ? {} : { lossSpanSeconds: seen.lossSpanSeconds }),
    ...(seen.account ? detailsOf(seen.account) : {}),
    failedWrites: seen.operations.filter(({ ok }) => !ok).length,
    ...(worst ? { firstFailureAt: iso(worst.firstFailureAtMs) } : {}),
    ...(worst?.recoveredAtMs === undefined ? {} : { recoveredAt: iso(worst.recoveredAtMs) }),
    ...(seen.promotion ? { promotion: seen.promotion } : {}),
    // Proven while the fault was on is not proven: nobody saw what the client could do before.
    provenOnImpacted: seen.provenAtMs !== undefined && seen.provenAtMs < faultAtMs,
    ...(seen.acknowledged.size > 0 ? { staleReads: seen.staleReads } : {}),
    ...(writeMs && readMs ? { latency: { writeMs, readMs, ...(consumerLagMs ? { consumerLagMs } : {}) } } : {}),
    ...(Number.isFinite(faultAtMs) ? { phases: phases(seen, { faultAtMs, worst, copiesMeasure }, iso) } : {}),
    outages: found.length,
    problems: seen.problems,
  };
}

function detailsOf(account: WriteAccount): Pick<ProbeMeasurement, 'records' | 'values'> {
  if ('staleReads' in account) {
    const { acknowledged, lost, staleReads, ...values } = account;
    return { values };
  }
  const { acknowledged, lost, ...records } = account;
  return { records };
}

function phases(
  { operations, news, health }: Observed,
  { faultAtMs, worst, copiesMeasure }: { faultAtMs: number; worst: Outage | undefined; copiesMeasure: string },
  iso: (monotonicMs: number) => string,
): RecoveryPhase[] {
  const recoveredAtMs = worst?.recoveredAtMs;
  const failures = operations.filter(({ ok, startedAtMs }) => !ok && startedAtMs < (recoveredAtMs ?? 0));
  const lastFailureAtMs = failures.reduce((last, { startedAtMs }) => Math.max(last, startedAtMs), -Infinity);
  const copies = health.map(({ atMs, values }) => ({ atMs, count: values[copiesMeasure] }));
  const clients = recoveredAtMs === undefined ? {} : { clients: { recoveredAtMs, lastFailureAtMs } };
  return recoveryPhases({ faultAtMs, news, copies, ...clients }).map(({ phase, atMs, event, uncertaintyMs }) => ({
    ...{ phase, at: iso(atMs), event },
    secondsAfterFault: Math.round(atMs - faultAtMs) / 1000,
    uncertaintyMs: Math.ceil(uncertaintyMs),
  }));
}

/** The longest time without an operation that lasted into the fault, by the clock that says more. */
function largestGapMs(starts: Observed['starts'], faultAtMs: number): number {
  return starts.slice(1).reduce((largest, { monotonicMs, epochMs }, index) => {
    const before = starts[index];
    if (!before || monotonicMs <= faultAtMs) return largest;
    return Math.max(largest, Math.round(monotonicMs - before.monotonicMs), epochMs - before.epochMs);
  }, 0);
}
