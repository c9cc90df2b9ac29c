import { type AuditEntry, announcedFaults, isEntryOf, lastOf } from './audit-entry.ts';
import { type BudgetLimits, judgeBudgets } from './budgets.ts';
import { checkVerdicts } from './check-verdicts.ts';
import { evidenceOf, type ShardEvidence } from './evidence.ts';
import type { BudgetVerdict, ExperimentOutcome, ExperimentStatus } from './experiment.ts';
import { isBeyondLimit } from './guardrails.ts';
import { cut, MAX_REASON_CHARACTERS } from './limits.ts';
import { shardText } from './probed-shards.ts';
import { beganBehindFence } from './rollback-watch.ts';
import { rollbackOf } from './status.ts';
import {
  type CheckVerdict,
  GOOD_FENCE_OUTCOMES,
  type NodeAnswer,
  type NodeRollback,
  type Verdict,
} from './workflow.ts';

type Ending = Omit<Verdict, 'budgets' | 'checks'>;

/** An answer on its way and clocks that differ a little account for so much. */
const MAX_EARLY_END_MS = 2000;
/** Why a host may end a fault without having ended it by itself; the failure of an injection has its own rule. */
const ENDED_ON_REQUEST: readonly string[] = ['ROLLBACK', 'LEASE_RELEASED', 'KILL_SWITCH', 'APPLY_FAILED'];
/** The host counts its TTL from the beginning of the application, which may take so long. */
const MAX_APPLY_MS = 5000;

/**
 * Folds a finished log into its verdict. The first rule that applies decides; the worst comes first.
 * @param limits by cluster
 */
export function judge(entries: readonly AuditEntry[], limits: Readonly<Record<string, BudgetLimits>>): Verdict {
  const evidence = evidenceOf(entries);
  const budgets = judgeBudgets(limits, evidence);
  const checks = checkVerdicts(entries);
  const judged = { budgets, ...(checks.length === 0 ? {} : { checks }) };
  const ending =
    notRolledBack(entries) ??
    neverInjected(entries) ??
    notHeld(entries) ??
    endedEarly(entries) ??
    notComplete(entries) ??
    fenceNotKept(rollbackOf(entries)?.nodes ?? []);
  if (ending) return { ...ending, ...judged };

  const measured = measuredEnding(budgets, evidence, checks);
  const breached = breachedDuringRollback(entries);
  if (breached?.outcome === 'DEVIATED') return { ...breached, ...judged };
  // What is not known takes a confirmation away, and no deviation.
  const unknown = measured.outcome === 'CONFIRMED' ? (breached ?? notWatchedToTheEnd(entries)) : undefined;
  return { ...(unknown ?? measured), ...judged };
}

/** The fault was there as planned, to its planned end: then the client's side and the hypothesis decide. */
function measuredEnding(
  budgets: readonly BudgetVerdict[],
  evidence: readonly ShardEvidence[],
  checks: readonly CheckVerdict[],
): Ending {
  const unmet = budgets.filter(({ met }) => !met);
  const unheld = checks.filter(({ result }) => result !== 'HELD');
  if (unmet.length === 0 && unheld.length === 0) {
    return end('COMPLETED', 'CONFIRMED', `every budget was met${checks.length > 0 ? ', and every check held' : ''}`);
  }
  const failing = evidence.filter(({ stillFailing }) => stillFailing).map(shardText);
  const exceeded = unmet.filter(({ measured }) => measured !== undefined);
  const deviations = [
    ...(failing.length > 0 ? [`the client was still failing at the end: ${failing.join(', ')}`] : []),
    ...exceeded.map(({ cluster, name, measured, limit }) => `${name} of ${cluster} is ${measured}, limit ${limit}`),
    ...unheld.filter(({ result }) => result === 'FAILED').map(({ name, reason }) => `${name}: ${reason}`),
  ];
  if (deviations.length > 0) return end('COMPLETED', 'DEVIATED', deviations.join('; '));
  const unseen =
    unmet.length === 0
      ? []
      : evidence.flatMap((shard) => (shard.problem ? [`${shardText(shard)}: ${shard.problem}`] : []));
  const names = [...new Set(unmet.map(({ name }) => name))];
  const unknown = unheld.map(({ name, reason }) => `${name}: ${reason}`);
  const missing = [...(unseen.length > 0 ? unseen : [names.join(', ')].filter(Boolean)), ...unknown];
  return end('COMPLETED', 'INCONCLUSIVE', `not measured: ${missing.join('; ')}`);
}

/**
 * Why a fault was not held until somebody ended it, one line each. A host reverted because nobody watched, because the
 * effect was gone, or for another reason of its own, known here or not; or by a TTL that ran out clearly before the
 * common end (its fault was there before the others'); or it knows nothing of the fault any more (a reboot), so that
 * nobody can say when it ended; a service gave it up or stopped it by an alarm. Hosts that were asked although nothing
 * was ever sent to them say nothing.
 */
export function endedUnseen(entries: readonly AuditEntry[]): string[] {
  const { nodes = [], services = [] } = rollbackOf(entries) ?? {};
  const announced = announcedFaults(entries);
  const unseen = nodes.filter(
    (end) => announced.has(end.faultId) && (end.outcome !== 'REVERTED' || endedByItself(end, entries)),
  );
  const rollingBackAtMs = Date.parse(entries.find(({ type }) => type === 'ROLLING_BACK')?.at ?? '');
  const given = services.filter(
    ({ state, endedAt }) =>
      (state !== 'completed' && state !== 'stopped') ||
      (state === 'stopped' && endedAt !== undefined && Date.parse(endedAt) < rollingBackAtMs),
  );
  return [
    ...unseen.map(({ node, outcome, revertReason = 'nobody knows why', effectLostAt }) => {
      if (outcome !== 'REVERTED') return `${node}: the host no longer knew the fault`;
      const lost = revertReason === 'EFFECT_LOST' || effectLostAt !== undefined;
      const when = lost ? `: the effect of the fault was gone at ${effectLostAt ?? 'an unknown time'}` : '';
      return `${node} reverted by itself (${revertReason})${when}`;
    }),
    ...given.map(({ faultId, state }) => `${faultId}: ${state} by the service before it was to end`),
  ];
}

function endedByItself(end: NodeRollback, entries: readonly AuditEntry[]): boolean {
  const { revertReason = '', effectLostAt } = end;
  if (effectLostAt !== undefined) return true;
  return revertReason === 'TTL' ? endedTooEarly(end, entries) : !ENDED_ON_REQUEST.includes(revertReason);
}

/**
 * The TTL of a host counts from its own start, the common end from the last confirmation of its batch: one that was slow
 * to answer, or to be reached, leaves the others without the fault before the end.
 */
function endedTooEarly(
  { faultId, instanceId, liftedAt = '' }: Pick<NodeRollback, 'faultId' | 'instanceId' | 'liftedAt'>,
  entries: readonly AuditEntry[],
): boolean {
  const batches = entries.flatMap((entry) => (entry.type === 'INJECTED' ? [entry.details] : []));
  const isAnswer = (answer: NodeAnswer) => answer.faultId === faultId && answer.instanceId === instanceId;
  const batch = batches.find(({ nodes }) => nodes.some(isAnswer));
  const liftedMs = Date.parse(liftedAt);
  const endMs = Date.parse(batches.at(-1)?.endsAt ?? '');
  const heldMs = liftedMs - Date.parse(batch?.nodes.find(isAnswer)?.appliedAt ?? '');
  const appliedInMs = endMs - Date.parse(batch?.confirmedAt ?? '') - heldMs;
  const ownMs = Number.isNaN(appliedInMs) ? 0 : Math.min(Math.max(appliedInMs, 0), MAX_APPLY_MS);
  // `!(…)`: an end that nobody knows is no end on time.
  return !(endMs - liftedMs <= MAX_EARLY_END_MS + ownMs);
}

/**
 * A failed rollback keeps its cluster: until a later one succeeded and the store was healthy behind it, nobody else may
 * start there.
 */
export function leavesClusterFree({ status }: Pick<Verdict, 'status'>, entries: readonly AuditEntry[]): boolean {
  if (status !== 'ROLLBACK_FAILED') return true;
  const last = entries.findLastIndex(({ type }) => type === 'ROLLED_BACK' || type === 'ROLLBACK_FAILED');
  const behind = entries.slice(last).findLast(({ type }) => type === 'RECOVERY_VERIFIED' || type === 'RECOVERY_FAILED');
  return entries[last]?.type === 'ROLLED_BACK' && !notRolledBack(entries) && behind?.type === 'RECOVERY_VERIFIED';
}

function notRolledBack(entries: readonly AuditEntry[]): Ending | undefined {
  const rollback = rollbackOf(entries);
  const mayHold = has(entries, 'INJECTING');
  if (!rollback && mayHold) return end('ROLLBACK_FAILED', 'INCONCLUSIVE', 'no rollback is in the log');
  const failed = rollback?.nodes.filter(({ outcome, leftovers }) => outcome === 'FAILED' || leftovers.length > 0) ?? [];
  const kept = rollback?.services?.filter(({ outcome }) => outcome === 'FAILED') ?? [];
  if (rollback?.outcome === 'ROLLBACK_FAILED' || failed.length > 0 || kept.length > 0) {
    const nodes = failed.map(
      ({ node, detail, leftovers }) => `${node}: ${detail ?? (leftovers.join(', ') || 'failed')}`,
    );
    const services = kept.map(({ faultId, state, detail }) => `${faultId}: ${detail ?? `${state} in the service`}`);
    const reasons = [...nodes, ...services, ...(rollback?.problems ?? [])].join('; ');
    return end('ROLLBACK_FAILED', 'INCONCLUSIVE', reasons || 'the rollback failed');
  }
  const recovery = entries.findLast((entry) => isEntryOf(entry, 'RECOVERY_VERIFIED', 'RECOVERY_FAILED'));
  if (!mayHold || recovery?.type === 'RECOVERY_VERIFIED') return undefined;
  if (!recovery) return end('ROLLBACK_FAILED', 'INCONCLUSIVE', 'the recovery of the store was not verified');
  const { problems } = recovery.details;
  return end('ROLLBACK_FAILED', 'DEVIATED', `the store did not recover: ${problems.join('; ') || 'no details'}`);
}

function neverInjected(entries: readonly AuditEntry[]): Ending | undefined {
  if (has(entries, 'INJECTING')) return undefined;
  const why = lastOf(entries, 'ABORT_REQUESTED') ?? lastOf(entries, 'ROLLING_BACK');
  const text = `nothing was injected: ${[why?.reason, why?.detail].filter(Boolean).join(': ') || 'the run ended before'}`;
  const byDecision = ['ABORT', 'ALARM', 'KILL_SWITCH'].includes(why?.reason ?? '');
  return end(byDecision ? 'ABORTED' : 'REFUSED', 'INCONCLUSIVE', text);
}

/** The fault was not there as planned: then nothing can be said about the system. */
function notHeld(entries: readonly AuditEntry[]): Ending | undefined {
  if (!has(entries, 'INJECTED')) {
    const failed = lastOf(entries, 'INJECTION_FAILED');
    return end('ABORTED', 'INCONCLUSIVE', `the injection did not succeed: ${failed?.reason ?? 'no report'}`);
  }
  const { nodes = [], services = [] } = rollbackOf(entries) ?? {};
  const found = new Set([...nodes, ...services].map(({ faultId }) => faultId));
  const missing = [...announcedFaults(entries)].filter((faultId) => !found.has(faultId));
  if (found.size === 0 || missing.length > 0) {
    const text = `the rollback found nothing that had the fault${missing.length > 0 ? ` ${missing.join(', ')}` : ''}`;
    return end('ABORTED', 'INCONCLUSIVE', text);
  }
  const unseen = endedUnseen(entries);
  return unseen.length === 0 ? undefined : end('ABORTED', 'INCONCLUSIVE', unseen.join('; '));
}

/** Some faults were there as planned, others never came: then it was another experiment than the one asked for. */
function notComplete(entries: readonly AuditEntry[]): Ending | undefined {
  const failed = lastOf(entries, 'INJECTION_FAILED');
  if (failed) return end('ABORTED', 'INCONCLUSIVE', `an injection did not succeed: ${failed.reason}`);
  const planned = lastOf(entries, 'ADMITTED')?.experiment.faults ?? [];
  const injected = lastOf(entries, 'INJECTED')?.injectedFaults ?? [];
  const missing = planned.filter(({ faultId }) => !injected.includes(faultId)).map(({ name }) => name);
  if (missing.length === 0) return undefined;
  const why = lastOf(entries, 'INJECTION_SKIPPED')?.reason ?? 'the end came first';
  return end('COMPLETED', 'INCONCLUSIVE', `not injected: ${missing.join(', ')} (${why})`);
}

/** Clients met a store that did not know its role yet: what they saw then is our doing, not the system's. */
function fenceNotKept(nodes: readonly NodeRollback[]): Ending | undefined {
  const fell = nodes.filter(({ fence }) => fence && !GOOD_FENCE_OUTCOMES.includes(fence.outcome));
  if (fell.length === 0) return undefined;
  const why = fell.map(({ node, fence }) => `${node}: the fence ended with ${fence?.outcome}`);
  return end('COMPLETED', 'INCONCLUSIVE', why.join('; '));
}

/**
 * Rollback and recovery belong to the experiment: customers who are hurt then are hurt by it, so a guardrail that is
 * crossed is a deviation. While our own fence kept them away it is our doing, of which nothing follows for the system.
 */
function breachedDuringRollback(entries: readonly AuditEntry[]): Ending | undefined {
  const breaches = lastOf(entries, 'ROLLBACK_WATCHED')?.breaches ?? [];
  if (breaches.length === 0) return undefined;
  const fences = (rollbackOf(entries)?.nodes ?? []).map(({ fence }) => fence);
  const charged = breaches.filter((breach) => !beganBehindFence(breach, fences));
  const text = (charged.length > 0 ? charged : breaches).map(
    ({ cluster, guardrail, reason, firstAt }) => `${cluster} ${guardrail}: ${reason}, from ${firstAt}`,
  );
  return charged.length > 0
    ? end('COMPLETED', 'DEVIATED', `during the rollback, ${text.join('; ')}`)
    : end('COMPLETED', 'INCONCLUSIVE', `while our fence kept clients away, ${text.join('; ')}`);
}

/** What nobody saw is not confirmed. */
function notWatchedToTheEnd(entries: readonly AuditEntry[]): Ending | undefined {
  const watch = lastOf(entries, 'ROLLBACK_WATCHED');
  if (!watch) return end('COMPLETED', 'INCONCLUSIVE', 'nobody knows what the guardrails showed during the rollback');
  if (watch.unseen.length === 0) return undefined;
  return end('COMPLETED', 'INCONCLUSIVE', `not seen during the rollback: ${watch.unseen.join('; ')}`);
}

function endedEarly(entries: readonly AuditEntry[]): Ending | undefined {
  const stopped = lastOf(entries, 'GUARD_STOPPED');
  if (stopped?.reason === 'TTL') return undefined;
  const abort = lastOf(entries, 'ABORT_REQUESTED');
  const reason = stopped?.reason ?? abort?.reason;
  if (reason === undefined) return end('ABORTED', 'INCONCLUSIVE', 'the guard left no report');
  const text = `${reason}: ${stopped?.detail ?? abort?.detail ?? 'no detail'}`;
  // A guardrail that could not be read says nothing about the system; one beyond its limit does.
  const seen = reason === 'GUARDRAIL' && (stopped?.breaches ?? []).some(isBeyondLimit);
  if (seen || reason === 'ALARM') return end('ABORTED', 'DEVIATED', text);
  const late = breachedDuringRollback(entries);
  return end('ABORTED', late?.outcome ?? 'INCONCLUSIVE', late ? `${text}; ${late.reason}` : text);
}

function has(entries: readonly AuditEntry[], type: AuditEntry['type']): boolean {
  return entries.some((entry) => entry.type === type);
}

function end(status: ExperimentStatus, outcome: ExperimentOutcome, reason: string): Ending {
  return { status, outcome, reason: cut(reason, MAX_REASON_CHARACTERS) };
}
