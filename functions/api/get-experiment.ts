import { irreversibleOf } from '../admission/irreversible.ts';
import type { AuditEntry } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import type { ServiceFault } from '../domain/fis-fault.ts';
import { verifyChain } from '../domain/hash-chain.ts';
import { recordsOf } from '../domain/records.ts';
import { detailsOf, nodesOf, readingsNow, stateOf, statusDocument } from '../domain/status.ts';
import type { Baseline, ProbeMeasurement, RecoveryResult } from '../domain/workflow.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { LeaseStore } from '../tables/leases.ts';
import { type Answer, notFound } from './answer.ts';
import { timelineRow } from './timeline.ts';

export interface GetDependencies {
  audit: Pick<AuditLog, 'read'>;
  leases: Pick<LeaseStore, 'read'>;
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
  const state = stateOf(entries, lease);
  const brokenAtSequence = verifyChain(entries);
  const facts = detailsOf<{ facts?: { clusters?: { cluster: string; worstCase: object }[] } }>(
    entries,
    'ADMITTED',
  )?.facts;
  const recovery = entries.findLast(({ type }) => type === 'RECOVERY_VERIFIED' || type === 'RECOVERY_FAILED')
    ?.details as Partial<RecoveryResult> | undefined;
  const body = {
    experimentId,
    status: state.status,
    outcome: state.outcome ?? null,
    reason: state.verdict?.reason ?? null,
    experiment: state.experiment ?? null,
    ...(state.injection ?? {}),
    targets: state.targets,
    baselines: detailsOf<{ baselines: Record<string, Baseline> }>(entries, 'STEADY_STATE_CONFIRMED')?.baselines ?? {},
    budgets: state.verdict?.budgets ?? [],
    nodes: state.rollback?.nodes ?? nodesOf(state, entries),
    services: state.rollback?.services ?? startedServices(entries),
    irreversible: state.experiment ? irreversibleOf(state.experiment) : [],
    repairs: recovery?.repairs ?? [],
    probe: detailsOf<ProbeMeasurement & Record<string, unknown>>(entries, 'PROBE_MEASURED') ?? null,
    guardrails: readingsNow(lease, clock.nowEpochMs()),
    record: recordsOf(experimentId, entries),
    worstCase: facts?.clusters?.map(({ cluster, worstCase }) => ({ cluster, ...worstCase })) ?? [],
    timeline: entries.map(timelineRow),
    chainVerified: brokenAtSequence === undefined,
    ...(brokenAtSequence === undefined ? {} : { chainBrokenAtSequence: brokenAtSequence }),
  };
  return { status: 200, body };
}

/** Faults in the service before their end is known: what was announced, and the experiment that was started for it. */
function startedServices(entries: readonly AuditEntry[]) {
  const of = <T>(type: AuditEntry['type']): T[] =>
    entries
      .filter((entry) => entry.type === type)
      .flatMap(({ details }) => (details.services as T[] | undefined) ?? []);
  const started = of<{ faultId: string; fisExperimentId?: string }>('INJECTED');
  return of<ServiceFault>('INJECTING').map(({ faultId, kind, action }) => ({
    faultId,
    kind,
    fisExperimentId: started.find((one) => one.faultId === faultId)?.fisExperimentId ?? null,
    boundSeconds: action.boundSeconds ?? null,
  }));
}

/** Refusals lie in the same log under ids that no experiment can have. */
function isExperiment(entries: readonly AuditEntry[]): boolean {
  return entries.some(({ type }) => type === 'ADMITTED');
}
