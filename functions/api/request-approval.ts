import type { AdmissionFacts } from '../domain/admission.ts';
import type { ApprovalDemand } from '../domain/approval.ts';
import { approvalRequest } from '../domain/approval-state.ts';
import type { Experiment, RequestedExperiment } from '../domain/experiment.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { hashRequest, type Reservations } from '../tables/reservations.ts';
import type { Begun, StartDeadlines, StartRequest } from './begun.ts';
import { type ReplayDependencies, replayDuplicate } from './stored-answer.ts';

const MINUTE_MS = 60_000;

export interface RequestApprovalDependencies extends ReplayDependencies {
  audit: Pick<AuditLog, 'append' | 'read'>;
  reservations: Pick<Reservations, 'find' | 'reserve' | 'cancel'>;
}

/**
 * Reserves the id and records what is asked for, and starts nothing. No lock is taken: whatever else happens to the cluster
 * meanwhile, it is admitted once more when it is approved.
 */
export async function requestApproval(
  requested: RequestedExperiment,
  { experiment, facts }: { experiment: Experiment; facts: AdmissionFacts & { approval: ApprovalDemand } },
  { ownerToken, caller }: Pick<StartRequest, 'ownerToken' | 'caller'>,
  dependencies: RequestApprovalDependencies,
  { claimed, givenBack }: StartDeadlines,
): Promise<Begun> {
  const { audit, reservations, clock } = dependencies;
  const { experimentId } = experiment;
  const nowMs = clock.nowEpochMs();
  const expiresAt = new Date(nowMs + facts.approval.expiresMinutes * MINUTE_MS).toISOString();
  const acceptedAt = new Date(nowMs).toISOString();
  const reservation = { experimentId, requestHash: hashRequest(requested), request: experiment, caller, acceptedAt };
  let reserved = true; // before the call: a put that failed may have been written
  try {
    reserved = await claimed.within(() => reservations.reserve(reservation, ownerToken));
    if (reserved) {
      const details = { requested, experiment, facts, expiresAt };
      await claimed.within(() => audit.append(experimentId, 'APPROVAL_REQUESTED', caller, details));
    }
  } catch (error) {
    // An append that failed may have been written: then the id stays taken.
    const isRequested = await givenBack
      .within(() => audit.read(experimentId))
      .then(
        (entries) => approvalRequest(entries) !== undefined,
        () => true,
      );
    if (reserved && !isRequested) {
      await givenBack
        .within(() => reservations.cancel(experimentId, ownerToken))
        .catch((failure) => log.error('id not given back', { experimentId, failure: String(failure) }));
    }
    throw error;
  }
  return replayDuplicate(requested, dependencies, claimed);
}
