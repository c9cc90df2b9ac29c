import type { AuditEntry, EntryType } from '../domain/audit-entry.ts';
import type { ServiceFault } from '../domain/fis-fault.ts';
import type {
  Baseline,
  Injection,
  NodeRollback,
  ProbeMeasurement,
  RecoveryResult,
  ResolvedTargets,
  RollbackResult,
  ServiceRollback,
  Verdict,
} from '../domain/workflow.ts';

/** One entry of the log as `GET …/{id}` shows it: with a line for a person. */
export function timelineRow({ sequence, type, at, actor, details, hash }: AuditEntry) {
  return { sequence, type, at, actor, summary: summaryOf(type, details), details, hash };
}

interface InjectingDetails {
  commands: { kind: string; node: string; undo: string[] }[];
  services?: ServiceFault[];
}

/** What each kind of entry says in one line; the others give their reason, if they have one. */
const SUMMARIES: Partial<Record<EntryType, (details: never) => string>> = {
  STEADY_STATE_CONFIRMED: ({ baselines }: { baselines: Record<string, Baseline> }) =>
    Object.entries(baselines)
      .map(([cluster, baseline]) => `${cluster} steady: ${trafficOf(baseline)}`)
      .join('; '),
  TARGETS_RESOLVED: ({ targets }: { targets: ResolvedTargets }) =>
    targets.faults
      .flatMap(({ impacted }) => impacted.map(({ name, role, shard }) => `${name} is ${role} of ${shard} now`))
      .join('; '),
  INJECTING: ({ commands, services = [] }: InjectingDetails) =>
    [
      ...commands.map(({ kind, node, undo }) => `${kind} on ${node}; undo recorded: ${undo.join(', ')}`),
      ...services.map(
        ({ kind, nodes, action }) =>
          `${kind} on ${nodes.map(({ node }) => node).join(', ')} by ${action.actionId}; undo recorded: ${action.undo.join(', ')}`,
      ),
    ].join('; '),
  INJECTED: ({ rollbackScheduledAt, nextFaultAt }: Pick<Injection, 'rollbackScheduledAt' | 'nextFaultAt'>) =>
    `armed, lease held, applied; rollback scheduled at ${rollbackScheduledAt}${nextFaultAt ? `, the next fault at ${nextFaultAt}` : ''}`,
  INJECTION_SKIPPED: ({ faults, reason }: { faults: string[]; reason: string }) =>
    `not injected: ${faults.join(', ')}: ${reason}`,
  PROMOTION_OBSERVED: ({ shard, from, to }: { shard: string; from: string; to: string }) =>
    `${shard}: ${to} promoted, was ${from}`,
  ROLLED_BACK: ({ nodes, services = [] }: RollbackResult) =>
    [...nodes.map(rollbackOf), ...services.map(serviceRollbackOf)].join('; ') || 'nothing had been applied',
  RECOVERY_VERIFIED: ({ repairs = [] }: Pick<RecoveryResult, 'repairs'>) =>
    ['the store is healthy: one master a shard, every replica attached', ...repairs].join('; '),
  PROBE_MEASURED: (measured: ProbeMeasurement) =>
    [
      rtoOf(measured),
      `${measured.acknowledgedWrites} writes acknowledged, ${measured.lostAcknowledgedWrites ?? 'unknown how many'} lost`,
    ].join(', '),
  CONCLUDED: ({ status, outcome, reason }: Verdict) => `${status}, ${outcome}: ${reason}`,
};

function trafficOf({ p99LatencyMs, requestsPerSecond, liveGateways }: Baseline): string {
  return `P99 write ${number(p99LatencyMs)} ms, ${number(requestsPerSecond)} requests/s, ${liveGateways} gateways`;
}

function serviceRollbackOf({ faultId, state, outcome, endedAt }: ServiceRollback): string {
  return [`${faultId} ${outcome} (${state} in the service)`, ...(endedAt ? [`ended at ${endedAt}`] : [])].join(', ');
}

function rtoOf({
  stillFailing,
  provenOnImpacted,
  rtoSeconds,
}: ProbeMeasurement & { provenOnImpacted?: boolean }): string {
  if (provenOnImpacted === false) return 'RTO not measured: its keys were not proven to live on the impacted node';
  return stillFailing ? 'still failing' : `RTO ${number(rtoSeconds ?? 0)} s`;
}

function rollbackOf({ node, outcome, revertReason, liftedAt, fence, leftovers }: NodeRollback): string {
  return [
    `${node} ${outcome}${revertReason ? ` (${revertReason})` : ''}`,
    ...(liftedAt ? [`lifted at ${liftedAt}`] : []),
    ...(fence && fence.outcome !== 'NONE' ? [`fence ${fence.outcome}`] : []),
    leftovers.length === 0 ? 'nothing left behind' : `left behind: ${leftovers.join(', ')}`,
  ].join(', ');
}

/** Nothing for details that are not as this version writes them: a line with a hole says less than the generic one. */
function ownLineOf(type: EntryType, details: Record<string, unknown>): string | undefined {
  try {
    // Which details belong to which type only the table knows; what does not fit throws, or leaves a hole, below.
    const line = SUMMARIES[type]?.(details as never);
    return line === undefined || /\b(undefined|null|NaN)\b/.test(line) ? undefined : line;
  } catch {
    return undefined;
  }
}

function summaryOf(type: EntryType, details: Record<string, unknown>): string {
  const line = ownLineOf(type, details);
  if (line !== undefined) return line;
  const what = type.toLowerCase().replaceAll('_', ' ');
  const { detail, reason, outcome } = details ?? {};
  const why = [detail, reason, outcome].find((value) => typeof value === 'string');
  return why === undefined ? what : `${what}: ${why}`;
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 100 ? 2 : 0);
}
