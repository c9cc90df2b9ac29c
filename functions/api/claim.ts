import type { Executions } from '../aws/executions.ts';
import type { AdmissionFacts } from '../domain/admission.ts';
import { type Announcement, isEntryOf } from '../domain/audit-entry.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import { type Caller, clustersOf, type Experiment, type RequestedExperiment } from '../domain/experiment.ts';
import { isFisFaultKind } from '../domain/faults/catalogue.ts';
import { type KillSwitch, turnedSince } from '../domain/kill-switch.ts';
import { clusterLocked, killSwitchEngaged, problem } from '../domain/problem.ts';
import { FIS_OVERHEAD_SECONDS, RUN_OVERHEAD_SECONDS } from '../domain/timing.ts';
import type { Deadline } from '../domain/with-deadline.ts';
import type { EngineCluster } from '../engines/configuration.ts';
import { recoverySecondsOf } from '../engines/recovery-seconds.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { KillSwitches } from '../tables/kill-switches.ts';
import type { Leases } from '../tables/leases.ts';
import type { Locks } from '../tables/locks.ts';
import { approvalKey, hashRequest, type Reservation, type Reservations } from '../tables/reservations.ts';
import { type Announcer, announceStart, withdraw } from './announce.ts';
import { type Begun, type StartDeadlines, type StartRequest, unknown } from './begun.ts';
import { isAdmitted, type ReplayDependencies, replayDuplicate } from './stored-answer.ts';

export interface ClaimDependencies extends ReplayDependencies {
  audit: Pick<AuditLog, 'append' | 'read'>;
  leases: Pick<Leases, 'create' | 'read' | 'release'>;
  locks: Pick<Locks, 'take' | 'giveBack' | 'holder'>;
  reservations: Pick<Reservations, 'find' | 'reserve' | 'cancel'>;
  executions: Pick<Executions, 'start'>;
  switches: Pick<KillSwitches, 'read'>;
  clusters: Readonly<Record<string, EngineCluster>>;
  announcer: Announcer;
}

/** Who starts, and where another person had to approve, who did. */
export interface Claimant extends Pick<StartRequest, 'ownerToken' | 'caller'> {
  approval?: { approver: Caller; hash: string };
  /** As they were before admission was asked. */
  switchesBefore: readonly KillSwitch[];
}

/**
 * Takes locks and id, tells people where they must be told, writes ADMITTED, starts; or gives back what it took. With an
 * approval the id is the request's already, and what is taken is the approval: once, whoever else approves at the same time or later.
 * @param requested by which the same request is known again
 */
export async function claim(
  requested: RequestedExperiment,
  { experiment, facts }: { experiment: Experiment; facts: AdmissionFacts },
  { ownerToken, caller, approval, switchesBefore }: Claimant,
  dependencies: ClaimDependencies,
  { claimed, givenBack }: StartDeadlines,
): Promise<Begun> {
  const { audit, locks, reservations, switches, announcer, clock } = dependencies;
  const { experimentId } = experiment;
  const key = approval ? approvalKey(experimentId) : experimentId;
  const replay = () => replayDuplicate(requested, dependencies, claimed, approval ? isAdmitted : undefined);
  const taken: string[] = [];
  let announced: Announcement | undefined;
  let reserved = false;
  const giveBack = async () => {
    // The id first: while the locks are held nobody else can run on the clusters.
    const cancelled = () => (reserved ? reservations.cancel(key, ownerToken) : Promise.resolve(false));
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
      if (holder === experimentId) return await replay();
      return { kind: 'refused', problem: clusterLocked(cluster, holder ?? '(just released)'), experiment };
    }
    // While a lock is held nobody re-arms: what admission saw of the switches holds from here on, or is seen to have changed.
    const read = await claimed.within(() => switches.read(clustersOf(experiment)));
    const turned = turnedSince(switchesBefore, read);
    if (turned) {
      await giveBack();
      return { kind: 'refused', problem: killSwitchEngaged(turned), experiment };
    }
    const reservation: Reservation = {
      experimentId: key,
      requestHash: hashRequest(requested),
      request: experiment,
      caller: approval?.approver ?? caller,
      acceptedAt: new Date(clock.nowEpochMs()).toISOString(),
    };
    reserved = true; // before the call, for the same reason
    reserved = await claimed.within(() => reservations.reserve(reservation, ownerToken));
    if (!reserved) {
      await giveBack();
      return await replay();
    }
    try {
      announced = await announceStart(experiment, facts, caller, dependencies, claimed);
    } catch (error) {
      await giveBack();
      const detail = `not started: nobody can be told of it: ${error instanceof Error ? error.message : String(error)}`;
      return { kind: 'refused', problem: problem('announcement-not-delivered', detail), experiment };
    }
    if (approval) {
      const { approver, hash } = approval;
      await claimed.within(() => audit.append(experimentId, 'APPROVED', approver, { hash }));
    }
    await claimed.within(() => audit.append(experimentId, 'ADMITTED', caller, { experiment, facts }));
    if (announced !== undefined) {
      const told = announced;
      await claimed.within(() => audit.append(experimentId, 'ANNOUNCED', caller, told));
    }
  } catch (error) {
    // An append that failed may have been written: then the id stays taken, and the sweep concludes the experiment.
    if (await mayBeAdmitted(experimentId, reserved, dependencies, givenBack)) throw error;
    // What cannot be given back now is freed by the sweep: without ADMITTED in the log nothing can have been started.
    await giveBack().catch((failure) => log.error('claim not given back', { experimentId, failure: String(failure) }));
    if (announced !== undefined) await withdraw(experiment, announcer, claimed);
    throw error;
  }
  return launch(experiment, caller, announced?.startsAt, dependencies, { claimed, givenBack });
}

/** The store that takes longest counts: all clusters of a run are freed together, at its end. */
function heldSeconds(
  experiment: Experiment,
  { clusters, announcer }: Pick<ClaimDependencies, 'clusters' | 'announcer'>,
): number {
  const recoveryOf = (name: string) => {
    const cluster = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
    const faults = experiment.faults.filter((fault) => fault.cluster === name);
    return cluster ? recoverySecondsOf(cluster, faults) : 0;
  };
  const recoverySeconds = Math.max(0, ...clustersOf(experiment).map(recoveryOf));
  const hasFisFaults = experiment.faults.some(({ kind }) => isFisFaultKind(kind));
  return (
    (announcer.announce ? announcer.announce.leadSeconds : 0) +
    experiment.durationSeconds +
    recoverySeconds +
    RUN_OVERHEAD_SECONDS +
    (hasFisFaults ? FIS_OVERHEAD_SECONDS : 0)
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
  startsAt: string | undefined,
  { leases, executions, clock }: ClaimDependencies,
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
    const later = startsAt !== undefined && Date.parse(startsAt) > clock.nowEpochMs() ? { startsAt } : {};
    await claimed.within(() =>
      executions.start(experimentId, { experimentId, experiment, caller, rollbackOnly, ...later }),
    );
    return { kind: 'started', experimentId, ...later };
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
