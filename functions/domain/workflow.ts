import type { BudgetVerdict, Caller, Experiment, ExperimentOutcome, ExperimentStatus } from './experiment.ts';
import type { HostFaultKind } from './faults/catalogue.ts';
import type { FisFault } from './fis-fault.ts';
import type { Check } from './hypothesis.ts';
import type { Tolerance } from './measures.ts';
import type { RecordAccount } from './record-account.ts';
import type { ResolvedTargets } from './targets.ts';
import type { ValueAccount } from './value-account.ts';

/**
 * What the steps of the state machine hand to each other. `lib/experiment-state-machine.ts` wires these, the Lambdas
 * fill them; times are ISO 8601 in UTC. Step Functions carries 256 KiB: what grows with nodes is bounded in `limits.ts`.
 */
export interface ExperimentRun {
  experimentId: string;
  experiment: Experiment;
  caller: Caller;
  /** Set by the sweep: skip everything, roll back what may be there. */
  rollbackOnly: boolean;
  /** Announced with a lead: nothing is done before. Absent: it starts at once. */
  startsAt?: string;
  /** By cluster: every cluster of the experiment is watched, whatever the others do. */
  baselines?: Record<string, Baseline>;
  targets?: ResolvedTargets;
  injection?: Injection;
  /** Why the run left its normal path (Step Functions' error name and cause), from a catcher. */
  cause?: { Error: string; Cause: string };
  rollback?: RollbackSummary;
  recovery?: RecoveryResult;
}

/** The steady state in the 60 s before the experiment, from Prometheus. */
export interface Baseline {
  readings: Reading[];
  p99LatencyMs: number;
  liveGateways: number;
  requestsPerSecond: number;
}

/** One evaluation of one guardrail. */
export interface Reading {
  guardrail: string;
  /** Cluster whose guardrail it is. */
  cluster: string;
  /** Absent when it could not be read; that is a breach. */
  value?: number;
  limit: number;
  /** `above`: more than the limit is a breach; `below`: less is. */
  breachWhen: 'above' | 'below';
  unit: string;
  /** Age of the newest sample behind the value, in seconds, by Prometheus's own clock. */
  ageSeconds?: number;
  maxAgeSeconds: number;
  breached: boolean;
  /** Why it is a breach, in words for a person. */
  reason?: string;
}

/** What a check, or a measure of the steady state, was before the fault. */
export interface CheckReading {
  check: string;
  /** The worst over the baseline; absent when it could not be measured, which does not hold. */
  value?: number;
  held: boolean;
  /** Why it does not, in words. */
  reason?: string;
}

/** Values of checks at each second of a time. */
export interface CheckObservation {
  /** Whose shard, and which invocation of the probe; absent: read from Prometheus. */
  probed?: Pick<ProbeMeasurement, 'cluster' | 'shard' | 'invocation'>;
  /** Second of the first value, since the epoch. */
  fromSecond: number;
  series: CheckSeries[];
}

export interface CheckSeries {
  check: string;
  /** What was sampled in each second; null: nothing. */
  values: (number | null)[];
  /** Between two samples; where it takes longer, nobody knows what was meanwhile. Absent: one is due each second. */
  gapSeconds?: number;
  /** Why some are, in words. */
  problem?: string;
}

/** Why a lease was released; the first reason stays. */
export const RELEASE_REASONS = [
  'TTL',
  'GUARDRAIL',
  'ABORT',
  'ALARM',
  'KILL_SWITCH',
  'EFFECT_LOST',
  'ROLLBACK',
  'SWEEP',
] as const;
export type ReleaseReason = (typeof RELEASE_REASONS)[number];

/** One document for one node, complete before anything is sent: it goes into the audit log first. */
export interface NodeCommand {
  faultId: string;
  kind: HostFaultKind;
  node: string;
  instanceId: string;
  parameters: Record<string, string>;
  undo: string[];
}

/** What is sent for the faults of one batch. */
export interface BatchPlan {
  commands: NodeCommand[];
  /** Faults that FIS applies. */
  services: FisFault[];
}

/** What a host saw of the fault itself, at its last look: for a person, judged by nobody. */
export interface Effect {
  measure: string;
  value: number;
  unit: string;
  observedAt: string;
}

/** What a host says beside the state of its fault, to an injection and to a rollback. */
export interface HostRemarks {
  effect?: Effect;
  /** What a person should know of how this host applies the fault. Absent when nothing. */
  notes?: string[];
}

/** What a host said to the command that injects, if it was asked. */
export interface NodeAnswer extends HostRemarks {
  node: string;
  instanceId: string;
  faultId: string;
  /** SSM's status of the command, or `NOT_SENT`. */
  status: string;
  /** The host's own word: `APPLIED` alone means that the fault is there. */
  state?: string;
  reason?: string;
  appliedAt?: string;
  bootId?: string;
}

/** What FIS said to a start. */
export type FisAnswer = { faultId: string; fisExperimentId: string } | { faultId: string; problem: string };

/** How the faults of a batch were answered. */
export interface BatchAnswers {
  nodes: NodeAnswer[];
  services: FisAnswer[];
}

export interface Injection {
  /** When the first faults were confirmed; the TTL counts from here. */
  injectedAt: string;
  /** Common end of all faults; the API calls it `rollbackScheduledAt`. */
  endsAt: string;
  /** Faults confirmed so far, in the order of their injection. */
  injectedFaults: string[];
  /** When the next faults are due; absent: all are injected. */
  nextFaultAt?: string;
}

/** Ends of a fence that say nothing against the run; any other may have let clients in too early. */
export const GOOD_FENCE_OUTCOMES: readonly string[] = ['NONE', 'NOT_NEEDED', 'SETTLED'];

export interface NodeRollback extends HostRemarks {
  node: string;
  instanceId: string;
  faultId: string;
  outcome: 'REVERTED' | 'NOTHING_TO_REVERT' | 'FAILED';
  /** Why the host reverted: `TTL`, `LEASE_LOST`, `LEASE_RELEASED`, `EFFECT_LOST`, …; see docs/contracts.md. */
  revertReason?: string;
  /** When the host saw that the fault was gone while it should have lived. */
  effectLostAt?: string;
  liftedAt?: string;
  /**
   * `NOT_NEEDED`: the node's role was never in doubt, clients were not kept away. `DEADLINE`: clients came in before the
   * store had settled. `FAILED`: the fence could not be raised.
   */
  fence?: { outcome: string; raisedAt?: string; loweredAt?: string };
  /** What is still there of the fault, or could not be looked at; empty means proven clean. */
  leftovers: string[];
  /** What others changed on the host meanwhile: evidence, nothing to fail for. Absent when nothing. */
  changes?: string[];
  detail?: string;
}

/** The end of one FIS experiment of ours, found by its tag. */
export interface FisRollback {
  faultId: string;
  fisExperimentId: string;
  /** `completed`, `failed`, `stopped` or `cancelled`; anything else is not an end. */
  state: string;
  /** `REVERTED`: ended, its template deleted, its targets as they were before; of a termination, with nothing left to undo. */
  outcome: 'REVERTED' | 'FAILED';
  /** When its action began; absent: it never did, or FIS says that it failed. */
  begunAt?: string;
  /** When its targets were back; absent: not known, or an action that was over at once, which says nothing of its fault. */
  endedAt?: string;
  detail?: string;
}

export interface RollbackResult {
  outcome: 'ROLLED_BACK' | 'ROLLBACK_FAILED';
  /** When the last fault was lifted; absent when nothing had been applied. */
  rolledBackAt?: string;
  nodes: NodeRollback[];
  /** Faults that ran in FIS; absent when there were none. */
  services?: FisRollback[];
  /** What went wrong beside the nodes: the lease or the audit log could not be written. Absent when nothing did. */
  problems?: string[];
}

/** What of it the state machine carries on; the rest is in the log. */
export type RollbackSummary = Pick<RollbackResult, 'outcome' | 'rolledBackAt' | 'problems'> & {
  nodes: Pick<NodeRollback, 'node' | 'faultId' | 'outcome'>[];
  services?: Pick<FisRollback, 'faultId' | 'outcome' | 'state' | 'begunAt'>[];
};

export interface RecoveryResult {
  outcome: 'RECOVERED' | 'NOT_RECOVERED';
  verifiedAt: string;
  /** What was still wrong at the deadline. */
  problems: string[];
  /** What was done to the store for it to work again; absent when nothing had to be. */
  repairs?: string[];
}

/** What one invocation of the probe measured of one shard, from the client's side. */
export interface ProbeMeasurement {
  cluster: string;
  shard: string;
  /** Another one for each invocation: Lambda may deliver an event twice. */
  invocation: string;
  /** Start of the first and of the last operation; absent when there was none. */
  observedFrom?: string;
  observedUntil?: string;
  /** Longest time from the start of one operation to that of the next, from the fault on. */
  largestGapSeconds: number;
  /** The longest outage that lasted into the fault, first failure to first lasting success; absent when there was none. */
  rtoSeconds?: number;
  /** All outages that lasted into the fault, together; absent when there was none. */
  unavailableSeconds?: number;
  /** The probe was still failing when it stopped. */
  stillFailing: boolean;
  attemptedWrites: number;
  acknowledgedWrites: number;
  /** Absent when the store could not be read at the end: unknown is not zero. */
  lostAcknowledgedWrites?: number;
  /**
   * Of a store that finds data by their keys: from the acknowledgement of the first lost write to that of the last; absent when
   * none is. Of others it is with what else became of their writes.
   */
  lossSpanSeconds?: number;
  /** Of a store that is a log: what else became of acknowledged writes. Absent also when it could not be read at the end. */
  records?: Omit<RecordAccount, 'acknowledged' | 'lost'>;
  /**
   * Of a store that keeps one value a key, by its timestamp: how acknowledged writes were lost, or hidden for a while. Absent also
   * when it could not be read at the end.
   */
  values?: Omit<ValueAccount, 'acknowledged' | 'lost' | 'staleReads'>;
  failedWrites: number;
  firstFailureAt?: string;
  recoveredAt?: string;
  promotion?: { shard: string; from: string; to: string; at: string };
  /** Before the fault, the impacted nodes had a write of the probe. False: what it measured is not of this fault. */
  provenOnImpacted: boolean;
  /** Reads that gave something older than what their own client had been promised; absent: not measured. */
  staleReads?: number;
  /** From the fault on; absent where there was no operation. */
  latency?: { writeMs: LatencySummary; readMs: LatencySummary; consumerLagMs?: LatencySummary };
  /** How the shard came back, in the order of time; one that was not seen is absent. */
  phases?: RecoveryPhase[];
}

/** Of an open loop: counted from when an operation was due. Milliseconds, to a microsecond. */
export interface LatencySummary {
  /** Also those that failed. */
  count: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
  /** Each of them is in the quantiles with the longest latency there is. */
  failed: number;
}

export const RECOVERY_PHASES = ['DETECTED', 'ELECTED', 'CLIENTS_RECOVERED', 'FULLY_REPLICATED'] as const;

/** One step of a recovery, counted from the fault. */
export interface RecoveryPhase {
  phase: (typeof RECOVERY_PHASES)[number];
  at: string;
  secondsAfterFault: number;
  /** What dates it, in the engine's words. */
  event: string;
  /** It may have been so much earlier. */
  uncertaintyMs: number;
}

export interface Verdict {
  status: ExperimentStatus;
  outcome: ExperimentOutcome;
  budgets: BudgetVerdict[];
  /** Absent for an experiment without a hypothesis. */
  checks?: CheckVerdict[];
  /** Known failure modes that it shows; absent: none. */
  findings?: Finding[];
  reason: string;
}

/** A known way to fail that a run shows, by the number that shows it. */
export interface Finding {
  cluster: string;
  /** In the field's words. */
  failureMode: string;
  measure: string;
  value: number;
  unit: string;
  /** What addresses it. */
  setting: string;
}

/** What became of one check of the hypothesis. */
export interface CheckVerdict {
  name: string;
  cluster: string;
  /** For a person. */
  measure: string;
  when: Check['when'];
  withinSeconds?: number;
  tolerance: Pick<Tolerance, 'atLeast' | 'atMost'>;
  unit: string;
  result: 'HELD' | 'FAILED' | 'UNKNOWN';
  /** The worst of the time in which it had to hold. */
  measured?: number;
  /** Of that time, where it was out of its tolerance and where nobody knows. */
  failedSeconds?: number;
  firstFailedAt?: string;
  lastFailedAt?: string;
  unknownSeconds?: number;
  /** From when on it held, counted from what it had to hold after. */
  heldAfterSeconds?: number;
  /** When an expected alert reached us first; absent: it did not, or is none. */
  arrivedAt?: string;
  reason?: string;
}
