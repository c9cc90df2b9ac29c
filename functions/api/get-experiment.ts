import { approvalRequest, reasonOfEnd } from '../domain/approval-state.ts';
import { type AuditEntry, isEntryOf, lastOf } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { irreversibleOf } from '../domain/faults/catalogue.ts';
import { verifyChain } from '../domain/hash-chain.ts';
import { recordsOf } from '../domain/records.ts';
import { type ExperimentState, isExperiment, nodesOf, readingsNow, stateOf, statusDocument } from '../domain/status.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Leases } from '../tables/leases.ts';
import { type Answer, notFound } from './answer.ts';
import { targetsDocument } from './targets-document.ts';
import { timelineRow } from './timeline.ts';

export interface GetDependencies {
  audit: Pick<AuditLog, 'read'>;
  leases: Pick<Leases, 'read'>;
  clock: Clock;
}

/** `GET …/{id}/status`: the seed's document. */
export async function getExperimentStatus(experimentId: string, dependencies: GetDependencies): Promise<Answer> {
  const { audit, leases, clock } = dependencies;
  const [entries, lease] = await Promise.all([audit.read(experimentId), leases.read(experimentId)]);
  if (!isExperiment(entries)) return notFound(experimentId);
  return { status: 200, body: statusDocument(experimentId, entries, lease, clock.nowEpochMs()) };
}

/** `GET …/{id}`: everything that is known of an experiment, and whether its log is unbroken. */
export async function getExperiment(experimentId: string, dependencies: GetDependencies): Promise<Answer> {
  const { audit, leases, clock } = dependencies;
  const [entries, lease] = await Promise.all([audit.read(experimentId), leases.read(experimentId)]);
  if (!isExperiment(entries)) return notFound(experimentId);
  const state = stateOf(entries, lease, clock.nowEpochMs());
  // What nobody has approved yet is shown as it was asked for.
  const asked = approvalRequest(entries)?.details;
  const experiment = state.experiment ?? asked?.experiment ?? null;
  const targets = state.experiment ? state.targets : (asked?.facts.targets ?? []);
  const brokenAtSequence = verifyChain(entries);
  const recovery = entries.findLast((entry) => isEntryOf(entry, 'RECOVERY_VERIFIED', 'RECOVERY_FAILED'))?.details;
  const body = {
    experimentId,
    status: state.status,
    outcome: state.outcome ?? null,
    reason: state.verdict?.reason ?? (state.approval && reasonOfEnd(state.approval)) ?? null,
    ...(state.approval ? { approval: state.approval } : {}),
    experiment,
    ...injectionDocument(state),
    targets: targets.map(targetsDocument),
    baselines: lastOf(entries, 'STEADY_STATE_CONFIRMED')?.baselines ?? {},
    budgets: state.verdict?.budgets ?? [],
    checks: state.verdict?.checks ?? [],
    findings: state.verdict?.findings ?? [],
    nodes: state.rollback?.nodes ?? nodesOf(state, entries),
    answers: answersOf(entries),
    services: state.rollback?.services ?? startedFisExperiments(entries),
    irreversible: experiment ? irreversibleOf(experiment.faults) : [],
    repairs: recovery?.repairs ?? [],
    probes: entries.flatMap((entry) => (entry.type === 'PROBE_MEASURED' ? [entry.details] : [])),
    guardrails: readingsNow(lease, clock.nowEpochMs()),
    record: recordsOf(experimentId, entries),
    worstCase:
      (lastOf(entries, 'ADMITTED') ?? asked)?.facts.clusters.map(({ cluster, worstCase }) => ({
        cluster,
        ...worstCase,
      })) ?? [],
    timeline: entries.map((entry) => timelineRow(entry, experiment?.faults ?? [])),
    chainVerified: brokenAtSequence === undefined,
    ...(brokenAtSequence === undefined ? {} : { chainBrokenAtSequence: brokenAtSequence }),
  };
  return { status: 200, body };
}

/** The seed's name for the end. */
function injectionDocument({ injection }: ExperimentState) {
  if (!injection) return {};
  const { endsAt, ...others } = injection;
  return { ...others, rollbackScheduledAt: endsAt };
}

/** What each host said to the command that injects. */
function answersOf(entries: readonly AuditEntry[]) {
  return entries.flatMap((entry) => (isEntryOf(entry, 'INJECTED', 'INJECTION_FAILED') ? entry.details.nodes : []));
}

/** Faults in FIS before their end is known: what was announced, and the experiment that was started for it. */
function startedFisExperiments(entries: readonly AuditEntry[]) {
  const started = entries.flatMap((entry) => (entry.type === 'INJECTED' ? entry.details.services : []));
  const announced = entries.flatMap((entry) => (entry.type === 'INJECTING' ? entry.details.services : []));
  return announced.map(({ faultId, kind, action }) => {
    const answer = started.find((one) => one.faultId === faultId);
    const fisExperimentId = answer && 'fisExperimentId' in answer ? answer.fisExperimentId : null;
    return { faultId, kind, fisExperimentId, boundSeconds: action.boundSeconds ?? null };
  });
}
