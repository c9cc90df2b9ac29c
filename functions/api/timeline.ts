import type { AuditEntry, EntryType } from '../audit/entry.ts';
import type {
  Baseline,
  NodeRollback,
  ProbeMeasurement,
  ResolvedTargets,
  RollbackResult,
  Verdict,
} from '../experiment/workflow.ts';

/** One entry of the log as `GET …/{id}` shows it: with a line for a person. */
export function timelineRow({ sequence, type, at, actor, details, hash }: AuditEntry) {
  return { sequence, type, at, actor, summary: summaryOf(type, details), details, hash };
}

interface InjectingDetails {
  commands: { kind: string; node: string; undo: string[] }[];
}

/** What each kind of entry says in one line; the others give their reason, if they have one. */
const SUMMARIES: Partial<Record<EntryType, (details: never) => string>> = {
  STEADY_STATE_CONFIRMED: ({ baseline }: { baseline: Baseline }) =>
    `steady: P99 write ${number(baseline.p99LatencyMs)} ms, ${number(baseline.requestsPerSecond)} requests/s, ${baseline.liveGateways} gateways`,
  TARGETS_RESOLVED: ({ targets }: { targets: ResolvedTargets }) =>
    targets.faults
      .flatMap(({ impacted }) => impacted.map(({ name, role, shard }) => `${name} is ${role} of ${shard} now`))
      .join('; '),
  INJECTING: ({ commands }: InjectingDetails) =>
    commands.map(({ kind, node, undo }) => `${kind} on ${node}; undo recorded: ${undo.join(', ')}`).join('; '),
  INJECTED: ({ rollbackScheduledAt }: { rollbackScheduledAt: string }) =>
    `armed, lease held, applied; rollback scheduled at ${rollbackScheduledAt}`,
  PROMOTION_OBSERVED: ({ shard, from, to }: { shard: string; from: string; to: string }) =>
    `${shard}: ${to} promoted, was ${from}`,
  ROLLED_BACK: ({ nodes }: RollbackResult) => nodes.map(rollbackOf).join('; ') || 'nothing had been applied',
  RECOVERY_VERIFIED: () => 'the store is healthy: one master a shard, every replica attached',
  PROBE_MEASURED: (measured: ProbeMeasurement) =>
    [
      rtoOf(measured),
      `${measured.acknowledgedWrites} writes acknowledged, ${measured.lostAcknowledgedWrites ?? 'unknown how many'} lost`,
    ].join(', '),
  CONCLUDED: ({ status, outcome, reason }: Verdict) => `${status}, ${outcome}: ${reason}`,
};

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
