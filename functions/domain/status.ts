import { type ApprovalDocument, approvalDocument } from './approval-state.ts';
import { arrivalsOf } from './arrivals.ts';
import {
  type AuditEntry,
  announcedFaults,
  type CheckChange,
  type EntryType,
  isEntryOf,
  lastOf,
} from './audit-entry.ts';
import type { Experiment, ExperimentOutcome, ExperimentStatus, Fault } from './experiment.ts';
import { faultState as stateWhileItHolds } from './faults/catalogue.ts';
import { measureText } from './measures.ts';
import type { ResolvedFault } from './targets.ts';
import type { CheckVerdict, Injection, Reading, RollbackResult, Verdict } from './workflow.ts';

/** The part of a lease row that tells how a run is doing. */
export interface LeaseView {
  state: 'HOLD' | 'RELEASED';
  readings: Reading[];
  evaluatedAt?: string;
}

/** Where an experiment is, folded from its log and its lease row: the log is the only memory. */
export interface ExperimentState {
  status: ExperimentStatus;
  outcome?: ExperimentOutcome;
  experiment?: Experiment;
  targets: ResolvedFault[];
  injection?: Injection;
  rollback?: RollbackResult;
  verdict?: Verdict;
  /** Where a cluster asks for one. */
  approval?: ApprovalDocument;
}

/** From the first of these on, the experiment is being rolled back. */
const ROLLING_BACK: readonly EntryType[] = [
  'INJECTION_FAILED',
  'GUARD_STOPPED',
  'ABORT_REQUESTED',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'ROLLBACK_FAILED',
  'RECOVERY_VERIFIED',
  'RECOVERY_FAILED',
  'ROLLBACK_WATCHED',
];

/** @param nowEpochMs without it a request that waits for its approval waits on */
export function stateOf(
  entries: readonly AuditEntry[],
  lease?: Pick<LeaseView, 'state'>,
  nowEpochMs = 0,
): ExperimentState {
  const admitted = lastOf(entries, 'ADMITTED');
  const approval = approvalDocument(entries, lease, nowEpochMs);
  const injection = lastOf(entries, 'INJECTED');
  const rollback = rollbackOf(entries);
  const verdict = lastOf(entries, 'CONCLUDED');
  return {
    status: statusOf(entries, verdict, lease, approval),
    targets: lastOf(entries, 'TARGETS_RESOLVED')?.targets.faults ?? admitted?.facts.targets ?? [],
    ...(verdict ? { outcome: verdict.outcome, verdict } : {}),
    ...(admitted ? { experiment: admitted.experiment } : {}),
    ...(injection ? { injection: injectionOf(injection) } : {}),
    ...(rollback ? { rollback } : {}),
    ...(approval ? { approval } : {}),
  };
}

/** Refusals lie in the same log under ids that no experiment can have. */
export function isExperiment(entries: readonly AuditEntry[]): boolean {
  return entries.some((entry) => isEntryOf(entry, 'ADMITTED', 'APPROVAL_REQUESTED'));
}

/** How the last rollback ended. */
export function rollbackOf(entries: readonly AuditEntry[]): RollbackResult | undefined {
  return entries.findLast((entry) => isEntryOf(entry, 'ROLLED_BACK', 'ROLLBACK_FAILED'))?.details;
}

/** Without what the entry holds beside it. */
function injectionOf({ injectedAt, endsAt, injectedFaults, nextFaultAt }: Injection): Injection {
  return { injectedAt, endsAt, injectedFaults, ...(nextFaultAt === undefined ? {} : { nextFaultAt }) };
}

const WITHOUT_ADMISSION = { PENDING: 'PENDING_APPROVAL', ABORTED: 'ABORTED', EXPIRED: 'REFUSED' } as const;

function statusOf(
  entries: readonly AuditEntry[],
  verdict: Verdict | undefined,
  lease: Pick<LeaseView, 'state'> | undefined,
  approval: ApprovalDocument | undefined,
): ExperimentStatus {
  if (verdict) return verdict.status;
  if (approval && approval.state !== 'ADMITTED') return WITHOUT_ADMISSION[approval.state];
  if (lease?.state === 'RELEASED' || entries.some(({ type }) => ROLLING_BACK.includes(type))) return 'ROLLING_BACK';
  return entries.some(({ type }) => type === 'INJECTED') ? 'RUNNING' : 'ACCEPTED';
}

/** The seed's status document, with what it has not. Whole seconds. */
export interface StatusDocument {
  experimentId: string;
  status: ExperimentStatus;
  outcome: ExperimentOutcome | null;
  elapsedSeconds: number;
  remainingSeconds: number;
  safetyMetrics: {
    currentErrorRatePct: number | null;
    currentP99LatencyMs: number | null;
    safetyChecksStatus: 'PASSING' | 'BREACHED' | 'UNKNOWN';
  };
  impactedNodes: { podName: string; instanceId: string | null; faultState: string }[];
  guardrails: Reading[];
  approval?: ApprovalDocument;
  /** Each check as it is now; at the end its verdict is in the experiment's own document. */
  checks: CheckNow[];
}

type CheckWords = 'name' | 'cluster' | 'measure' | 'when' | 'withinSeconds' | 'tolerance' | 'unit';
export interface CheckNow extends Pick<CheckVerdict, CheckWords> {
  /** `PENDING`: nobody has looked yet, or it is one value of the whole run. */
  state: CheckChange['state'] | 'PENDING';
  value?: number;
  since?: string;
}

export function statusDocument(
  experimentId: string,
  entries: readonly AuditEntry[],
  lease: LeaseView | undefined,
  nowEpochMs: number,
): StatusDocument {
  const state = stateOf(entries, lease, nowEpochMs);
  const guardrails = readingsNow(lease, nowEpochMs);
  return {
    experimentId,
    status: state.status,
    outcome: state.outcome ?? null,
    ...progress(state, entries, nowEpochMs),
    safetyMetrics: {
      currentErrorRatePct: highest(guardrails, 'errorRatePct'),
      currentP99LatencyMs: highest(guardrails, 'p99WriteLatencyMs'),
      safetyChecksStatus: safetyChecks(entries, guardrails),
    },
    impactedNodes: nodesOf(state, entries),
    guardrails,
    ...(state.approval ? { approval: state.approval } : {}),
    checks: checksNow(state, entries),
  };
}

/** What a verdict says of a check that nobody watches any more. */
const STANDS = { HELD: 'HOLDS', FAILED: 'FAILS', UNKNOWN: 'UNKNOWN' } as const;

function checksNow({ experiment, verdict }: ExperimentState, entries: readonly AuditEntry[]): CheckNow[] {
  const changes = entries.filter((entry) => isEntryOf(entry, 'CHECK_CHANGED'));
  return (experiment?.hypothesis?.checks ?? []).map(({ name, cluster, measure, when, withinSeconds, tolerance }) => {
    const { unit, ...limits } = tolerance;
    const last = changes.findLast(({ details }) => details.check === name);
    const [arrival] = measure.kind === 'ALARM' ? arrivalsOf({ cluster, name: measure.alarm }, entries) : [];
    const judged = verdict?.checks?.find((check) => check.name === name);
    const state = judged ? STANDS[judged.result] : (last?.details.state ?? (arrival ? 'HOLDS' : 'PENDING'));
    const value = judged ? judged.measured : last?.details.value;
    const since = last?.at ?? arrival?.at;
    return {
      ...{ name, cluster, measure: measureText(measure), when, tolerance: limits, unit, state },
      ...(withinSeconds === undefined ? {} : { withinSeconds }),
      ...(value === undefined ? {} : { value }),
      ...(since === undefined ? {} : { since }),
    };
  });
}

/** The guard's last readings, their age brought up to now: a dead guard's readings grow old, they do not stay good. */
export function readingsNow(lease: LeaseView | undefined, nowEpochMs: number): Reading[] {
  const sinceSeconds = lease?.evaluatedAt ? Math.max(0, nowEpochMs - Date.parse(lease.evaluatedAt)) / 1000 : 0;
  return (lease?.readings ?? []).map((reading) => ({
    ...reading,
    ...(reading.ageSeconds === undefined ? {} : { ageSeconds: reading.ageSeconds + sinceSeconds }),
  }));
}

/** Of all clusters of the experiment. One that could not be read makes it unknown: it may be the highest. */
function highest(readings: readonly Reading[], name: string): number | null {
  const values = readings.filter(({ guardrail }) => guardrail === name).map(({ value }) => value ?? Number.NaN);
  const maximum = Math.max(...values);
  return Number.isFinite(maximum) ? maximum : null;
}

function safetyChecks(entries: readonly AuditEntry[], readings: Reading[]) {
  const late = lastOf(entries, 'ROLLBACK_WATCHED')?.breaches.length;
  if (late || lastOf(entries, 'GUARD_STOPPED')?.breaches.length || readings.some(({ breached }) => breached))
    return 'BREACHED';
  const fresh = readings.every(
    ({ ageSeconds, maxAgeSeconds }) => ageSeconds !== undefined && ageSeconds <= maxAgeSeconds,
  );
  return readings.length > 0 && fresh ? 'PASSING' : 'UNKNOWN';
}

function progress(state: ExperimentState, entries: readonly AuditEntry[], nowEpochMs: number) {
  const { injection, experiment, rollback, status } = state;
  const running = status === 'RUNNING';
  if (!injection) {
    return { elapsedSeconds: 0, remainingSeconds: status === 'ACCEPTED' ? (experiment?.durationSeconds ?? 0) : 0 };
  }
  const last = entries.at(-1);
  // During the rollback the fault may still hold: the time goes on until it is known to be lifted.
  const endedAt = rollback?.rolledBackAt ?? (state.verdict ? last?.at : undefined);
  const endMs = endedAt ? Date.parse(endedAt) : nowEpochMs;
  const remainingMs = Date.parse(injection.endsAt) - nowEpochMs;
  return {
    elapsedSeconds: Math.max(0, Math.floor((endMs - Date.parse(injection.injectedAt)) / 1000)),
    remainingSeconds: running ? Math.max(0, Math.ceil(remainingMs / 1000)) : 0,
  };
}

/** One row for each fault and node it was meant for, and what is known of the fault on it. */
export function nodesOf(state: ExperimentState, entries: readonly AuditEntry[]) {
  const announced = announcedFaults(entries);
  return (state.experiment?.faults ?? []).flatMap((fault) =>
    fault.impactedNodes.map((podName) => {
      const targets = state.targets.find(({ faultId }) => faultId === fault.faultId);
      return {
        podName,
        instanceId: targets?.impacted.find(({ name }) => name === podName)?.instanceId ?? null,
        faultState: faultStateOf(state, fault, podName, announced.has(fault.faultId)),
      };
    }),
  );
}

/** @param announced is in the log as about to be injected: from then on it may be there. */
function faultStateOf(
  { rollback, status, injection }: ExperimentState,
  fault: Fault,
  node: string,
  announced: boolean,
) {
  const ends = [
    ...(rollback?.nodes ?? []).filter((end) => end.faultId === fault.faultId && end.node === node),
    ...(rollback?.services ?? []).filter((end) => end.faultId === fault.faultId),
  ];
  if (ends.some(({ outcome }) => outcome === 'FAILED')) return 'UNKNOWN';
  if (ends.length > 0) return announced ? 'REVERTED' : 'NOT_APPLIED';
  const goesOn = status === 'ACCEPTED' || status === 'RUNNING';
  if (!announced) return goesOn ? 'PENDING' : 'NOT_APPLIED';
  if (goesOn) return injection?.injectedFaults.includes(fault.faultId) ? stateWhileItHolds(fault.kind) : 'INJECTING';
  return status === 'ROLLING_BACK' ? 'REVERTING' : 'UNKNOWN';
}
