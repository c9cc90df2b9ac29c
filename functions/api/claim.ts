import type { Executions } from '../aws/executions.ts';
import type { AdmissionFacts } from '../domain/admission.ts';
import { isEntryOf } from '../domain/audit-entry.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import { type Caller, clustersOf, type Experiment } from '../domain/experiment.ts';
import { isFisFaultKind } from '../domain/faults/catalogue.ts';
import { clusterLocked } from '../domain/problem.ts';
import { FIS_OVERHEAD_SECONDS, RUN_OVERHEAD_SECONDS } from '../domain/timing.ts';
import type { Deadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Leases } from '../tables/leases.ts';
import type { Locks } from '../tables/locks.ts';
import { hashRequest, type Reservation, type Reservations } from '../tables/reservations.ts';
import { type Begun, type StartDeadlines, type StartRequest, unknown } from './begun.ts';
import { type ReplayDependencies, replayDuplicate } from './stored-answer.ts';

export interface ClaimDependencies extends ReplayDependencies {
  audit: Pick<AuditLog, 'append' | 'read'>;
  leases: Pick<Leases, 'create' | 'read' | 'release'>;
  locks: Pick<Locks, 'take' | 'giveBack' | 'holder'>;
  reservations: Pick<Reservations, 'find' | 'reserve' | 'cancel'>;
  executions: Pick<Executions, 'start'>;
  clusters: Readonly<Record<string, { budgets: { recoverySeconds: number } }>>;
}

/** Takes locks and id, writes ADMITTED, starts; or gives back what it took. */
export async function claim(
  experiment: Experiment,
  facts: AdmissionFacts,
  { ownerToken, caller }: Pick<StartRequest, 'ownerToken' | 'caller'>,
  dependencies: ClaimDependencies,
  { claimed, givenBack }: StartDeadlines,
): Promise<Begun> {
  const { audit, locks, reservations, clock } = dependencies;
  const { experimentId } = experiment;
  const taken: string[] = [];
  let reserved = false;
  const giveBack = async () => {
    // The id first: while the locks are held nobody else can run on the clusters.
    const cancelled = () => (reserved ? reservations.cancel(experimentId, ownerToken) : Promise.resolve(false));
    const [first] = await Promise.allSettled([givenBack.within(cancelled)]);
    const freed = await Promise.allSettled(
      taken.map((cluster) => givenBack.within(() => locks.giveBack(cluster, ownerToken))),
    );
    for (const one of [first, ...freed]) if (one.status === 'rejected') throw one.reason;
  };
  try {
    for (const cluster of clustersOf(experiment)) {
      const endsAt = new Date(clock.nowEpochMs() + heldSeconds(experiment, dependencies) * 1000).toISOString();
      // Before the call: a put that failed may have been written. Giving back asks for our own token.
      taken.push(cluster);
      if (await claimed.within(() => locks.take({ cluster, experimentId, endsAt }, ownerToken))) continue;
      const holder = await claimed.within(() => locks.holder(cluster));
      await giveBack();
      if (holder === experimentId) return await replayDuplicate(experiment, dependencies, claimed);
      return { kind: 'refused', problem: clusterLocked(cluster, holder ?? '(just released)'), experiment };
    }
    const reservation: Reservation = {
      experimentId,
      requestHash: hashRequest(experiment),
      request: experiment,
      caller,
      acceptedAt: new Date(clock.nowEpochMs()).toISOString(),
    };
    reserved = true; // before the call, for the same reason
    reserved = await claimed.within(() => reservations.reserve(reservation, ownerToken));
    if (!reserved) {
      await giveBack();
      return await replayDuplicate(experiment, dependencies, claimed);
    }
    await claimed.within(() => audit.append(experimentId, 'ADMITTED', caller, { experiment, facts }));
  } catch (error) {
    // An append that failed may have been written: then the id stays taken, and the sweep concludes the experiment.
    if (await mayBeAdmitted(experimentId, reserved, dependencies, givenBack)) throw error;
    // What cannot be given back now is freed by the sweep: without ADMITTED in the log nothing can have been started.
    await giveBack().catch((failure) => log.error('claim not given back', { experimentId, failure: String(failure) }));
    throw error;
  }
  return launch(experiment, caller, dependencies, { claimed, givenBack });
}

/** The store that takes longest counts: all clusters of a run are freed together, at its end. */
function heldSeconds(experiment: Experiment, { clusters }: Pick<ClaimDependencies, 'clusters'>): number {
  const recoveryOf = (name: string) =>
    Object.hasOwn(clusters, name) ? (clusters[name]?.budgets.recoverySeconds ?? 0) : 0;
  const recoverySeconds = Math.max(0, ...clustersOf(experiment).map(recoveryOf));
  const hasFisFaults = experiment.faults.some(({ kind }) => isFisFaultKind(kind));
  return (
    experiment.durationSeconds + recoverySeconds + RUN_OVERHEAD_SECONDS + (hasFisFaults ? FIS_OVERHEAD_SECONDS : 0)
  );
}

async function mayBeAdmitted(
  experimentId: string,
  reserved: boolean,
  { audit }: Pick<ClaimDependencies, 'audit'>,
  givenBack: Deadline,
): Promise<boolean> {
  if (!reserved) return false;
  try {
    const entries = await givenBack.within(() => audit.read(experimentId));
    return entries.some((entry) => isEntryOf(entry, 'ADMITTED'));
  } catch {
    return true;
  }
}

/** An id that was aborted while it was judged has a released lease: then the run begins with its rollback. */
async function launch(
  experiment: Experiment,
  caller: Caller,
  { leases, executions }: ClaimDependencies,
  { claimed, givenBack }: Pick<StartDeadlines, 'claimed' | 'givenBack'>,
): Promise<Begun> {
  const { experimentId } = experiment;
  try {
    const rollbackOnly = await claimed
      .within(() => leases.create(experimentId))
      .then(() => false)
      .catch((error: unknown) => {
        if (error instanceof WorkflowError && error.name === ErrorName.LeaseReleased) return true;
        throw error;
      });
    const run = { experimentId, experiment, caller, rollbackOnly };
    await claimed.within(() => executions.start(experimentId, run));
    return { kind: 'started', experimentId };
  } catch (error) {
    // The execution may exist although the call failed. Without its lease it applies nothing and ends by itself.
    const detail = `the start failed: ${String(error)}`;
    await givenBack
      .within(() => leases.release(experimentId, 'ABORT', detail))
      .catch((failure) => {
        log.error('lease not released after a failed start', { experimentId, failure: String(failure) });
      });
    return unknown('the execution', error, experiment);
  }
}
