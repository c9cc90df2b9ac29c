import type { AdmissionFacts } from './admission.ts';
import type { Caller, Experiment } from './experiment.ts';
import type { Problem } from './problem.ts';
import type { RollbackWatch } from './rollback-watch.ts';
import type { ResolvedTargets } from './targets.ts';
import type {
  Baseline,
  BatchAnswers,
  BatchPlan,
  CheckObservation,
  CheckReading,
  Injection,
  ProbeMeasurement,
  Reading,
  RecoveryResult,
  ReleaseReason,
  RollbackResult,
  Verdict,
} from './workflow.ts';

/** Why something was ended. */
export interface Reason {
  reason: ReleaseReason;
  detail: string;
}

/** What the guard saw until it stopped watching. */
export interface GuardReport extends Reason {
  breaches: Reading[];
  /** By cluster. */
  peakP99LatencyMs: Record<string, number>;
  evaluations: number;
}

/** How a batch of faults was confirmed. */
export interface InjectionReport extends Injection, BatchAnswers {
  /** Ids of the faults of this batch. */
  faults: string[];
  confirmedAt: string;
}

/** What was seen of one cluster before a later batch. */
export interface TargetsCheck {
  cluster: string;
  liveNodes: number;
  /** Every node that a fault of the experiment hits. */
  impactedNodes: number;
  maxNodesPct: number;
  /** Why the batch must not come; empty: it may. */
  problems: string[];
}

export const CHECK_STATES = ['HOLDS', 'FAILS', 'UNKNOWN'] as const;
/** News of a check while the experiment runs. What counts for the verdict is what was observed in all. */
export interface CheckChange {
  check: string;
  state: (typeof CHECK_STATES)[number];
  value?: number;
}

/** The latencies of one shard's probe, second by second. */
export interface LatencyLog extends Pick<ProbeMeasurement, 'cluster' | 'shard' | 'invocation'> {
  operation: 'write' | 'read';
  /** Second of the first histogram, since the epoch. */
  fromSecond: number;
  /**
   * One a second, of the operations that were due in it: an HDR histogram in its V2 compressed form, base64; empty: no
   * operation. Of microseconds: a store in the same zone answers within one millisecond.
   */
  histograms: string[];
  /** One a second: operations that failed, which are in no histogram. */
  failed: number[];
}

/** What each type of entry says. An entry is written before the act it announces, or at once after what it reports. */
export interface EntryDetails {
  REFUSED: { problem: Problem; dryRun: boolean; experiment?: Experiment };
  ADMITTED: { experiment: Experiment; facts: AdmissionFacts };
  STEADY_STATE_CONFIRMED: { baselines: Record<string, Baseline>; checks?: CheckReading[] };
  TARGETS_RESOLVED: { targets: ResolvedTargets };
  PROBE_READY: Pick<ProbeMeasurement, 'cluster' | 'shard' | 'invocation'> & { checks?: CheckReading[] };
  TARGETS_CHECKED: { clusters: TargetsCheck[] };
  INJECTING: BatchPlan;
  INJECTED: InjectionReport;
  INJECTION_SKIPPED: { faults: string[]; reason: string };
  INJECTION_FAILED: BatchAnswers & { reason: string };
  GUARD_STOPPED: GuardReport;
  ABORT_REQUESTED: Reason;
  PROMOTION_OBSERVED: NonNullable<ProbeMeasurement['promotion']>;
  ROLLING_BACK: Reason;
  ROLLED_BACK: RollbackResult;
  ROLLBACK_FAILED: RollbackResult;
  RECOVERY_VERIFIED: RecoveryResult & { impacted: string[] };
  RECOVERY_FAILED: RecoveryResult & { impacted: string[] };
  ROLLBACK_WATCHED: RollbackWatch;
  CHECK_CHANGED: CheckChange;
  CHECKS_OBSERVED: CheckObservation;
  LATENCY_RECORDED: LatencyLog;
  PROBE_MEASURED: ProbeMeasurement & { outages: number; problems: string[] };
  CONCLUDED: Verdict;
}
export type EntryType = keyof EntryDetails;

/** Who acted: the person of the signed request, or one of our own functions. */
export type Actor = Caller | { function: string };

/**
 * One row of the append-only log. `hash` = SHA-256 (hex) over `previousHash` and the canonical JSON of the other
 * fields; the first entry of an experiment has an empty `previousHash`.
 */
export type EntryOf<T extends EntryType> = {
  experimentId: string;
  /** 1, 2, 3 … without gaps, per experiment. */
  sequence: number;
  type: T;
  /** ISO 8601, UTC, milliseconds. */
  at: string;
  actor: Actor;
  details: EntryDetails[T];
  previousHash: string;
  hash: string;
};
export type AuditEntry = { [T in EntryType]: EntryOf<T> }[EntryType];

export function isEntryOf<T extends EntryType>(
  entry: AuditEntry,
  ...types: readonly T[]
): entry is Extract<AuditEntry, { type: T }> {
  return types.some((type) => type === entry.type);
}

/** Details of the last entry of that type. */
export function lastOf<T extends EntryType>(entries: readonly AuditEntry[], type: T): EntryDetails[T] | undefined {
  const found = entries.findLast((entry): entry is Extract<AuditEntry, { type: T }> => isEntryOf(entry, type));
  return found?.details as EntryDetails[T] | undefined;
}

/** Ids of the faults that an INJECTING entry announced: each may have been applied, confirmed or not. */
export function announcedFaults(entries: readonly AuditEntry[]): Set<string> {
  const plans = entries.flatMap((entry) => (entry.type === 'INJECTING' ? [entry.details] : []));
  return new Set(plans.flatMap(({ commands, services }) => [...commands, ...services]).map(({ faultId }) => faultId));
}
