import type { AuditEntry, EntryType } from '../audit/entry.ts';
import type { Experiment, ExperimentOutcome, ExperimentStatus } from './experiment.ts';
import { FAULT_STATES } from './faults.ts';
import type { Injection, Reading, ResolvedFault, RollbackResult, Verdict } from './workflow.ts';

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
}

export function detailsOf<T>(entries: readonly AuditEntry[], type: EntryType): T | undefined {
  return entries.findLast((entry) => entry.type === type)?.details as T | undefined;
}

const WAY_BACK: readonly EntryType[] = [
  'INJECTION_FAILED',
  'GUARD_STOPPED',
  'ABORT_REQUESTED',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'ROLLBACK_FAILED',
  'RECOVERY_VERIFIED',
  'RECOVERY_FAILED',
];

export function stateOf(entries: readonly AuditEntry[], lease?: LeaseView): ExperimentState {
  const admitted = detailsOf<{ experiment: Experiment; facts?: { targets?: ResolvedFault[] } }>(entries, 'ADMITTED');
  const resolved = detailsOf<{ targets: { faults: ResolvedFault[] } }>(entries, 'TARGETS_RESOLVED');
  const injection = detailsOf<Injection & Record<string, unknown>>(entries, 'INJECTED');
  const rollbackType = entries.findLast(({ type }) => type === 'ROLLED_BACK' || type === 'ROLLBACK_FAILED')?.type;
  const rollback = rollbackType && detailsOf<RollbackResult & Record<string, unknown>>(entries, rollbackType);
  const verdict = detailsOf<Verdict & Record<string, unknown>>(entries, 'CONCLUDED');
  return {
    status: statusOf(entries, verdict, lease),
    targets: resolved?.targets.faults ?? admitted?.facts?.targets ?? [],
    ...(verdict ? { outcome: verdict.outcome, verdict } : {}),
    ...(admitted ? { experiment: admitted.experiment } : {}),
    ...(injection
      ? { injection: { injectedAt: injection.injectedAt, rollbackScheduledAt: injection.rollbackScheduledAt } }
      : {}),
    ...(rollback ? { rollback } : {}),
  };
}

function statusOf(entries: readonly AuditEntry[], verdict: Verdict | undefined, lease?: LeaseView): ExperimentStatus {
  if (verdict) return verdict.status;
  if (lease?.state === 'RELEASED' || entries.some(({ type }) => WAY_BACK.includes(type))) return 'ROLLING_BACK';
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
}

export function statusDocument(
  experimentId: string,
  entries: readonly AuditEntry[],
  lease: LeaseView | undefined,
  nowEpochMs: number,
): StatusDocument {
  const state = stateOf(entries, lease);
  const guardrails = readingsNow(lease, nowEpochMs);
  const currentOf = (name: string) => guardrails.find(({ guardrail }) => guardrail === name)?.value ?? null;
  return {
    experimentId,
    status: state.status,
    outcome: state.outcome ?? null,
    ...progress(state, entries, nowEpochMs),
    safetyMetrics: {
      currentErrorRatePct: currentOf('errorRatePct'),
      currentP99LatencyMs: currentOf('p99WriteLatencyMs'),
      safetyChecksStatus: safetyChecks(entries, guardrails),
    },
    impactedNodes: nodesOf(state, entries),
    guardrails,
  };
}

/** The guard's last readings, their age brought up to now: a dead guard's readings grow old, they do not stay good. */
export function readingsNow(lease: LeaseView | undefined, nowEpochMs: number): Reading[] {
  const sinceSeconds = lease?.evaluatedAt ? Math.max(0, nowEpochMs - Date.parse(lease.evaluatedAt)) / 1000 : 0;
  return (lease?.readings ?? []).map((reading) => ({
    ...reading,
    ...(reading.ageSeconds === undefined ? {} : { ageSeconds: reading.ageSeconds + sinceSeconds }),
  }));
}

function safetyChecks(entries: readonly AuditEntry[], readings: Reading[]) {
  const stopped = detailsOf<{ breaches?: Reading[] }>(entries, 'GUARD_STOPPED');
  if (stopped?.breaches?.length || readings.some(({ breached }) => breached)) return 'BREACHED';
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
  // While the way back is under way the fault may still hold: the time goes on until it is known to be lifted.
  const endedAt = rollback?.rolledBackAt ?? (state.verdict ? last?.at : undefined);
  const endMs = endedAt ? Date.parse(endedAt) : nowEpochMs;
  const remainingMs = Date.parse(injection.rollbackScheduledAt) - nowEpochMs;
  return {
    elapsedSeconds: Math.max(0, Math.floor((endMs - Date.parse(injection.injectedAt)) / 1000)),
    remainingSeconds: running ? Math.max(0, Math.ceil(remainingMs / 1000)) : 0,
  };
}

/** One row for each node a fault was meant for, and what is known of the fault on it. */
export function nodesOf({ experiment, targets, rollback, status }: ExperimentState, entries: readonly AuditEntry[]) {
  const injecting = entries.some(({ type }) => type === 'INJECTING');
  const injected = entries.some(({ type }) => type === 'INJECTED');
  return (experiment?.faults ?? []).flatMap((fault) =>
    fault.impactedNodes.map((podName) => {
      const target = targets.find(({ faultId }) => faultId === fault.faultId)?.impacted.find((n) => n.name === podName);
      const reverted = rollback?.nodes.find((node) => node.faultId === fault.faultId && node.node === podName);
      let faultState: string;
      if (reverted) faultState = reverted.outcome === 'FAILED' ? 'UNKNOWN' : injecting ? 'REVERTED' : 'NOT_APPLIED';
      else if (!injecting) faultState = status === 'ACCEPTED' ? 'PENDING' : 'NOT_APPLIED';
      else if (status === 'RUNNING') faultState = FAULT_STATES[fault.kind];
      else if (status === 'ACCEPTED') faultState = injected ? FAULT_STATES[fault.kind] : 'INJECTING';
      else faultState = status === 'ROLLING_BACK' ? 'REVERTING' : 'UNKNOWN';
      return { podName, instanceId: target?.instanceId ?? null, faultState };
    }),
  );
}
