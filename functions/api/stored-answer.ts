import { type AuditEntry, isEntryOf } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import type { RequestedExperiment } from '../domain/experiment.ts';
import { problem } from '../domain/problem.ts';
import { type ExperimentState, isExperiment, stateOf } from '../domain/status.ts';
import { DUPLICATE_WAIT_MS } from '../domain/timing.ts';
import type { Deadline } from '../domain/with-deadline.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Leases } from '../tables/leases.ts';
import { hashRequest, type Reservations } from '../tables/reservations.ts';
import type { Begun } from './begun.ts';

const POLL_MS = 200;

export interface ReplayDependencies {
  audit: Pick<AuditLog, 'read'>;
  leases: Pick<Leases, 'read'>;
  reservations: Pick<Reservations, 'find'>;
  clock: Clock;
}

/**
 * For a repeated request: the answer of the one that has the id. Waits briefly while that one is in flight.
 * @param isAnswer whether the log has what the other one waits for
 * @throws Error when the tables do not answer in time
 */
export async function replayDuplicate(
  experiment: RequestedExperiment,
  { audit, leases, reservations, clock }: ReplayDependencies,
  deadline: Deadline,
  isAnswer: (entries: readonly AuditEntry[]) => boolean = isExperiment,
): Promise<Begun> {
  const { experimentId } = experiment;
  const untilMs = Math.min(clock.monotonicMs() + DUPLICATE_WAIT_MS, deadline.atMs);
  for (;;) {
    const stored = await deadline.within(() => reservations.find(experimentId));
    if (stored && stored.requestHash !== hashRequest(experiment)) return idConflict(experiment);
    const [entries, lease] = stored
      ? await deadline.within(() => Promise.all([audit.read(experimentId), leases.read(experimentId)]))
      : [[]];
    if (isAnswer(entries)) {
      const state = stateOf(entries, lease, clock.nowEpochMs());
      return { kind: 'answer', answer: { status: 202, body: acceptedBody(experimentId, state) } };
    }
    if (clock.monotonicMs() >= untilMs) break;
    await clock.sleep(POLL_MS);
  }
  const detail = `experiment ${experimentId} is being started by another request, or its start failed: ask for its status, or use another id`;
  return { kind: 'refused', problem: problem('control-plane-unknown', detail, { experimentId }), experiment };
}

/** For a repeated approval: what waits for it is no answer yet. */
export function isAdmitted(entries: readonly AuditEntry[]): boolean {
  return entries.some((entry) => isEntryOf(entry, 'ADMITTED'));
}

/** The seed's answer. A fault that was applied is reported as INJECTED, also to a repeated request. */
export function acceptedBody(experimentId: string, state: ExperimentState): object {
  if (state.injection) {
    const { injectedAt, endsAt } = state.injection;
    return { experimentId, status: 'INJECTED', injectedAt, rollbackScheduledAt: endsAt };
  }
  const { status, approval } = state;
  return { experimentId, status, ...(approval && approval.state !== 'ADMITTED' ? { approval } : {}) };
}

function idConflict(experiment: RequestedExperiment): Begun {
  const { experimentId } = experiment;
  const detail = `not started: experiment id ${experimentId} was used for another request`;
  return { kind: 'refused', problem: problem('experiment-id-conflict', detail, { experimentId }), experiment };
}
