import type { AuditEntry, TargetsCheck } from '../domain/audit-entry.ts';
import type { Experiment } from '../domain/experiment.ts';
import { shardText } from '../domain/probed-shards.ts';
import { rolesText, selectorsOf } from '../domain/role-words.ts';
import type { RollbackWatch } from '../domain/rollback-watch.ts';
import type { ResolvedFault } from '../domain/targets.ts';
import type {
  Baseline,
  Effect,
  FisRollback,
  LatencySummary,
  NodeRollback,
  ProbeMeasurement,
  RollbackResult,
} from '../domain/workflow.ts';

/** One entry of the log as `GET …/{id}` shows it: whole, so that its hash can be computed anew, and with a line for a person. */
export function timelineRow(entry: AuditEntry, faults: Experiment['faults']) {
  return { ...entry, summary: summaryOf(entry, faults) };
}

function summaryOf(entry: AuditEntry, faults: Experiment['faults']): string {
  switch (entry.type) {
    case 'REFUSED':
      return `refused: ${entry.details.problem.detail}`;
    case 'APPROVAL_REQUESTED': {
      const { facts, expiresAt } = entry.details;
      return `waits until ${expiresAt} for the approval of somebody else than ${facts.approval?.mayNotApprove}`;
    }
    case 'APPROVED':
      return `approved by ${'arn' in entry.actor ? entry.actor.arn : entry.actor.function}`;
    case 'ADMITTED':
      return words(entry.type);
    case 'ANNOUNCED':
      return `announced, to start at ${entry.details.startsAt}`;
    case 'PROBE_READY':
      return `${words(entry.type)} on ${shardText(entry.details)}`;
    case 'STEADY_STATE_CONFIRMED':
      return Object.entries(entry.details.baselines)
        .map(([cluster, baseline]) => `${cluster} steady: ${trafficOf(baseline)}`)
        .join('; ');
    case 'TARGETS_RESOLVED':
      return entry.details.targets.faults.flatMap((resolved) => targetsOf(resolved, faults)).join('; ');
    case 'TARGETS_CHECKED':
      return entry.details.clusters.map(checkOf).join('; ');
    case 'INJECTING': {
      const { commands, services } = entry.details;
      return [
        ...commands.map(({ kind, node, undo }) => `${kind} on ${node}; undo recorded: ${undo.join(', ')}`),
        ...services.map(
          ({ kind, nodes, action }) =>
            `${kind} on ${nodes.map(({ node }) => node).join(', ')} by ${action.actionId}; undo recorded: ${action.undo.join(', ')}`,
        ),
      ].join('; ');
    }
    case 'INJECTED': {
      const { endsAt, nextFaultAt, nodes } = entry.details;
      const next = nextFaultAt ? `, the next fault at ${nextFaultAt}` : '';
      const seen = nodes.flatMap(({ node, effect }) => (effect ? [`${node}: ${effectText(effect)}`] : []));
      return [`armed, lease held, applied; rollback scheduled at ${endsAt}${next}`, ...seen].join('; ');
    }
    case 'INJECTION_SKIPPED':
      return `not injected: ${entry.details.faults.join(', ')}: ${entry.details.reason}`;
    case 'INJECTION_FAILED':
      return `${words(entry.type)}: ${entry.details.reason}`;
    case 'ALARM_ARRIVED':
      return `${entry.details.alarm} of ${entry.details.cluster} arrived, as expected`;
    case 'GUARD_STOPPED':
    case 'ABORT_REQUESTED':
    case 'ROLLING_BACK':
      return `${words(entry.type)}: ${entry.details.detail}`;
    case 'PROMOTION_OBSERVED':
      return `${entry.details.shard}: ${entry.details.to} promoted, was ${entry.details.from}`;
    case 'ROLLED_BACK':
      return rollbackSummary(entry.details);
    case 'ROLLBACK_FAILED':
    case 'RECOVERY_FAILED':
      return `${words(entry.type)}: ${entry.details.outcome}`;
    case 'RECOVERY_VERIFIED':
      return [
        'the store is healthy: every shard has its leader and every member',
        ...(entry.details.repairs ?? []),
      ].join('; ');
    case 'ROLLBACK_WATCHED':
      return watchSummary(entry.details);
    case 'PROBE_MEASURED': {
      const {
        acknowledgedWrites,
        lostAcknowledgedWrites = 'unknown how many',
        records,
        values,
        staleReads = 0,
      } = entry.details;
      const { lossSpanSeconds } = records ?? values ?? entry.details;
      const span = lossSpanSeconds === undefined ? '' : ` within ${number(lossSpanSeconds)} s`;
      return [
        `${shardText(entry.details)}: ${rtoOf(entry.details)}, ${acknowledgedWrites} writes acknowledged, ${lostAcknowledgedWrites} lost${span}`,
        ...recordsOf(records),
        ...valuesOf(values),
        ...(staleReads > 0 ? [`${staleReads} stale reads`] : []),
        ...phasesOf(entry.details),
        ...latencyOf(entry.details),
      ].join('; ');
    }
    case 'CHECK_CHANGED': {
      const { check, state, value } = entry.details;
      return `${check} ${state.toLowerCase()}${value === undefined ? '' : ` at ${number(value)}`}`;
    }
    case 'CHECKS_OBSERVED': {
      const { probed, series } = entry.details;
      const lengthSeconds = Math.max(0, ...series.map(({ values }) => values.length));
      return `${series.length} checks at each of ${lengthSeconds} s, ${probed ? `by the probe on ${shardText(probed)}` : 'from Prometheus'}`;
    }
    case 'LATENCY_RECORDED': {
      const { operation, histograms } = entry.details;
      return `latency of each ${operation} on ${shardText(entry.details)}, a histogram for each of ${histograms.length} s`;
    }
    case 'SCHEDULE_RUN':
    case 'SCHEDULE_PAUSED':
    case 'SCHEDULE_RESUMED':
      return `${words(entry.type)}: ${entry.details.schedule}`;
    case 'CONCLUDED':
      return `${entry.details.status}, ${entry.details.outcome}: ${entry.details.reason}`;
    case 'KILL_SWITCH_ENGAGING':
    case 'KILL_SWITCH_RE_ARMING':
      return `${words(entry.type)}: ${entry.details.reason}`;
    case 'KILL_SWITCH_ENGAGED':
      return entry.details.steps.map(({ step, outcome, detail }) => `${step} ${outcome}: ${detail}`).join('; ');
  }
}

function targetsOf({ faultId, impacted, shardMembers }: ResolvedFault, faults: Experiment['faults']): string[] {
  const own = faults.filter((fault) => fault.faultId === faultId);
  return impacted.map((node) => {
    const askedFor = selectorsOf(node.name, own);
    const text = rolesText(node, askedFor, shardMembers);
    return node.roles.length + askedFor.length > 1 ? `${node.name} (${text})` : `${node.name} is ${text} now`;
  });
}

function checkOf({ cluster, liveNodes, impactedNodes, problems }: TargetsCheck): string {
  const found = problems.length === 0 ? 'within its limits' : problems.join(', ');
  return `${cluster} before the next faults: ${impactedNodes} of ${liveNodes} nodes, ${found}`;
}

function words(type: string): string {
  return type.toLowerCase().replaceAll('_', ' ');
}

function trafficOf({ p99LatencyMs, requestsPerSecond, liveGateways }: Baseline): string {
  return `P99 write ${number(p99LatencyMs)} ms, ${number(requestsPerSecond)} requests/s, ${liveGateways} gateways`;
}

function rollbackSummary({ nodes, services = [] }: RollbackResult): string {
  return [...nodes.map(nodeRollback), ...services.map(fisRollback)].join('; ') || 'nothing had been applied';
}

function nodeRollback(end: NodeRollback): string {
  const { node, outcome, revertReason, effect, effectLostAt, liftedAt, fence, leftovers } = end;
  return [
    `${node} ${outcome}${revertReason ? ` (${revertReason})` : ''}`,
    ...(effect ? [effectText(effect)] : []),
    ...(effectLostAt ? [`effect gone at ${effectLostAt}`] : []),
    ...(liftedAt ? [`lifted at ${liftedAt}`] : []),
    ...fenceText(fence),
    leftovers.length === 0 ? 'nothing left behind' : `left behind: ${leftovers.join(', ')}`,
  ].join(', ');
}

function effectText({ measure, value, unit }: Effect): string {
  return `${measure}: ${number(value)} ${unit}`;
}

function watchSummary({ breaches, unseen }: RollbackWatch): string {
  const lines = [
    ...breaches.map(({ cluster, guardrail, reason }) => `${cluster} ${guardrail}: ${reason}`),
    ...unseen.map((line) => `not seen: ${line}`),
  ];
  return lines.join('; ') || 'every guardrail held until the store was healthy';
}

function fenceText(fence: NodeRollback['fence']): string[] {
  if (fence === undefined || fence.outcome === 'NONE') return [];
  if (fence.outcome === 'NOT_NEEDED') return ['clients not kept away: its role was never in doubt'];
  return [`fence ${fence.outcome}`];
}

function fisRollback({ faultId, state, outcome, endedAt, detail }: FisRollback): string {
  const said = [`${faultId} ${outcome} (${state} in the service)`, ...(endedAt ? [`ended at ${endedAt}`] : [])].join(
    ', ',
  );
  return detail === undefined ? said : `${said}: ${detail}`;
}

function rtoOf({ stillFailing, provenOnImpacted, rtoSeconds = 0, unavailableSeconds = 0 }: ProbeMeasurement): string {
  if (!provenOnImpacted) return 'RTO not measured: its keys were not proven to live on the impacted node';
  if (stillFailing) return 'still failing';
  return `RTO ${number(rtoSeconds)} s, unavailable for ${number(unavailableSeconds)} s in all`;
}

function recordsOf(records: ProbeMeasurement['records']): string[] {
  const { duplicated = 0, reordered = 0, repeatedOffsets = 0 } = records ?? {};
  const counts = { duplicated, reordered, 'with a repeated offset, by the client library': repeatedOffsets };
  return Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} records ${what}`] : []));
}

function valuesOf(values: ProbeMeasurement['values']): string[] {
  const { overwritten = 0, resurrected = 0, stale = 0 } = values ?? {};
  const counts = { 'overwritten by an earlier one': overwritten, resurrected, 'hidden for a while': stale };
  return Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} writes ${what}`] : []));
}

function phasesOf({ phases = [] }: ProbeMeasurement): string[] {
  const seen = phases.map(({ phase, secondsAfterFault }) => `${words(phase)} after ${number(secondsAfterFault)} s`);
  return seen.length === 0 ? [] : [seen.join(', ')];
}

function latencyOf({ latency }: ProbeMeasurement): string[] {
  if (!latency) return [];
  const p99 = ({ p99: value, failed }: LatencySummary) =>
    `${number(value)} ms${failed > 0 ? ` (${failed} failed)` : ''}`;
  const lag = latency.consumerLagMs ? `, consumer lag ${p99(latency.consumerLagMs)}` : '';
  return [`P99 of writes ${p99(latency.writeMs)}, of reads ${p99(latency.readMs)}${lag}`];
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 100 ? 2 : 0);
}
