import type { AdmissionFacts } from './admission.ts';
import type { AlertSeverity, Caller, Experiment, RequestedExperiment } from './experiment.ts';
import type { EngageStep } from './kill-switch.ts';
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

/** People were told before anything is done. */
export interface Announcement {
  topicArn: string;
  /** SNS's own, by which it was taken. */
  messageId: string;
  /** Nothing is done before. */
  startsAt: string;
}

export const CHECK_STATES = ['HOLDS', 'FAILS', 'UNKNOWN'] as const;
/** News of a check while the experiment runs. What counts for the verdict is what was observed in all. */
export interface CheckChange {
  check: string;
  state: (typeof CHECK_STATES)[number];
  value?: number;
}

/** `consume`: from when a record was due to be written until it was consumed. */
export const TIMED_OPERATIONS = ['write', 'read', 'consume'] as const;
/** The latencies of one shard's probe, second by second. */
export interface LatencyLog extends Pick<ProbeMeasurement, 'cluster' | 'shard' | 'invocation'> {
  operation: (typeof TIMED_OPERATIONS)[number];
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

/**
 * What came of one time of a schedule. After `FAILED` nobody knows, and it may be tried again; the others are ends.
 * `PENDING_APPROVAL`: a person asked for it, and another one has to approve.
 */
export const SCHEDULE_RESULTS = ['STARTED', 'PENDING_APPROVAL', 'REFUSED', 'PAUSED', 'FAILED'] as const;
export interface ScheduleRun {
  schedule: string;
  /** ISO 8601, UTC, whole seconds. */
  scheduledAt: string;
  experimentId: string;
  result: (typeof SCHEDULE_RESULTS)[number];
  /** Why not; absent: it was started, or waits for its approval. */
  problem?: Problem;
}

/** An alert that the experiment expects has reached us. */
export interface AlarmArrival {
  cluster: string;
  alarm: string;
  severity: AlertSeverity;
  /** When it fired, as its sender says; absent: it does not. */
  firedAt?: string;
}

/** Which kill switch is turned, and why. */
export interface SwitchChange {
  /** Absent: that of all clusters. */
  cluster?: string;
  reason: string;
}

/** As the sweep found a switch that was engaged past the log: who did it, and when, as its row says. */
export interface SwitchEngaging extends SwitchChange {
  engagedBy?: string;
  /** ISO 8601. */
  engagedAt?: string;
}

/** What each type of entry says. An entry is written before the act it announces, or at once after what it reports. */
export interface EntryDetails {
  REFUSED: { problem: Problem; dryRun: boolean; experiment?: RequestedExperiment };
  /** `requested` as the payload said it: when it is approved, it is admitted once more. `expiresAt`: ISO 8601. */
  APPROVAL_REQUESTED: {
    requested: RequestedExperiment;
    experiment: Experiment;
    facts: AdmissionFacts;
    expiresAt: string;
  };
  /** By the actor of the entry. */
  APPROVED: { hash: string };
  ADMITTED: { experiment: Experiment; facts: AdmissionFacts };
  ANNOUNCED: Announcement;
  STEADY_STATE_CONFIRMED: { baselines: Record<string, Baseline>; checks?: CheckReading[] };
  TARGETS_RESOLVED: { targets: ResolvedTargets };
  PROBE_READY: Pick<ProbeMeasurement, 'cluster' | 'shard' | 'invocation'> & { checks?: CheckReading[] };
  TARGETS_CHECKED: { clusters: TargetsCheck[] };
  INJECTING: BatchPlan;
  INJECTED: InjectionReport;
  INJECTION_SKIPPED: { faults: string[]; reason: string };
  INJECTION_FAILED: BatchAnswers & { reason: string };
  ALARM_ARRIVED: AlarmArrival;
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
  SCHEDULE_RUN: ScheduleRun;
  SCHEDULE_PAUSED: { schedule: string };
  SCHEDULE_RESUMED: { schedule: string };
  /** Of a kill switch, in a log of its own: see `switchLogIdOf`. */
  KILL_SWITCH_ENGAGING: SwitchEngaging;
  KILL_SWITCH_ENGAGED: { alreadyEngaged: boolean; steps: EngageStep[] };
  KILL_SWITCH_RE_ARMING: SwitchChange;
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

const REFUSAL = 'REFUSAL#';

/** Under which a refusal is recorded, so that it reserves no id of an experiment. */
export function refusalId(ownerToken: string): string {
  return REFUSAL + ownerToken;
}

export function isRefusalId(text: string): boolean {
  return text.startsWith(REFUSAL);
}
