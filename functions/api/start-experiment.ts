import type { Executions } from '../aws/executions.ts';
import type { Admission, AdmissionFacts } from '../domain/admission.ts';
import type { Clock } from '../domain/clock.ts';
import { type Caller, clustersOf, type Experiment } from '../domain/experiment.ts';
import { isFisFaultKind } from '../domain/faults/catalogue.ts';
import { type DurationLimits, parseExperiment } from '../domain/parse-experiment.ts';
import { clusterLocked, type Problem, problem } from '../domain/problem.ts';
import { stateOf } from '../domain/status.ts';
import {
  ANSWER_WITHIN_MS,
  DUPLICATE_WAIT_MS,
  FIS_OVERHEAD_SECONDS,
  INJECTED_WAIT_MS,
  RUN_OVERHEAD_SECONDS,
} from '../domain/timing.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Leases } from '../tables/leases.ts';
import type { Locks } from '../tables/locks.ts';
import { hashRequest, type Reservation, type Reservations } from '../tables/reservations.ts';
import { type Answer, refusal } from './answer.ts';
import { targetsDocument } from './targets-document.ts';

const POLL_MS = 200;

export interface StartRequest {
  body: string;
  dryRun: boolean;
  caller: Caller;
  /** API Gateway's id of the request: the key of a refusal. */
  requestId: string;
}

export interface StartDependencies {
  audit: Pick<AuditLog, 'append' | 'read'>;
  leases: Pick<Leases, 'killSwitchEngaged' | 'create' | 'read' | 'release'>;
  locks: Pick<Locks, 'take' | 'giveBack' | 'holder'>;
  reservations: Pick<Reservations, 'find' | 'reserve' | 'cancel'>;
  admit(experiment: Experiment): Promise<Admission>;
  executions: Pick<Executions, 'start'>;
  clusters: DurationLimits & Readonly<Record<string, { budgets: { recoverySeconds: number } }>>;
  clock: Clock;
}

/**
 * POST: kill switch → parse → stored answer → admit → locks → reserve → audit → lease → execution → wait for INJECTED.
 * Up to the audit entry everything taken is given back on failure; after it an execution may exist, so the lease is
 * released and the rest is left to the sweep.
 */
export async function startExperiment(request: StartRequest, dependencies: StartDependencies): Promise<Answer> {
  const answerByMs = dependencies.clock.monotonicMs() + ANSWER_WITHIN_MS;
  const begun = await begin(request, dependencies);
  if (begun.kind === 'answer') return begun.answer;
  if (begun.kind === 'refused') return recordRefusal(begun.problem, begun.experiment, request, dependencies);
  return awaitInjection(begun.experimentId, answerByMs, dependencies);
}

type Admitted = Extract<Admission, { admitted: true }>;

type Begun =
  | { kind: 'answer'; answer: Answer }
  | { kind: 'refused'; problem: Problem; experiment?: Experiment }
  | { kind: 'started'; experimentId: string };

async function begin(request: StartRequest, dependencies: StartDependencies): Promise<Begun> {
  try {
    if (await dependencies.leases.killSwitchEngaged()) {
      return { kind: 'refused', problem: problem('kill-switch-engaged', 'not started: the kill switch is engaged') };
    }
  } catch (error) {
    return unknown('the kill switch', error);
  }
  const parsed = parseExperiment(request.body, dependencies.clusters);
  if (!parsed.ok) return { kind: 'refused', problem: parsed.problem };
  const { experiment } = parsed;
  try {
    if (!request.dryRun) {
      const stored = await dependencies.reservations.find(experiment.experimentId);
      if (stored) return await replayDuplicate(experiment, dependencies);
    }
    const admission = await dependencies.admit(experiment);
    if (!admission.admitted) {
      const heldByDuplicate = !request.dryRun && admission.problem.heldBy === experiment.experimentId;
      if (heldByDuplicate) return await replayDuplicate(experiment, dependencies);
      return { kind: 'refused', problem: admission.problem, experiment };
    }
    if (request.dryRun) return { kind: 'answer', answer: dryRunAnswer(experiment, admission) };
    return await claim(experiment, admission.facts, request, dependencies);
  } catch (error) {
    return unknown('the start', error, experiment);
  }
}

/** Takes locks and id, writes ADMITTED, starts; or gives back what it took. */
async function claim(
  experiment: Experiment,
  facts: AdmissionFacts,
  request: StartRequest,
  dependencies: StartDependencies,
): Promise<Begun> {
  const { audit, locks, reservations, clock, clusters } = dependencies;
  const { experimentId } = experiment;
  const taken: string[] = [];
  let reserved = false;
  const giveBack = async () => {
    // The id first: while the locks are held nobody else can run on the clusters.
    const cancelled = reserved ? reservations.cancel(experimentId, request.requestId) : Promise.resolve(false);
    const [first] = await Promise.allSettled([cancelled]);
    const freed = await Promise.allSettled(taken.map((cluster) => locks.giveBack(cluster, request.requestId)));
    for (const one of [first, ...freed]) if (one.status === 'rejected') throw one.reason;
  };
  // The store that takes longest: all clusters of a run are freed together, at its end.
  const recoverySeconds = Math.max(0, ...clustersOf(experiment).map((name) => recoveryOf(name, clusters)));
  const hasFisFaults = experiment.faults.some(({ kind }) => isFisFaultKind(kind));
  const overheadSeconds = RUN_OVERHEAD_SECONDS + (hasFisFaults ? FIS_OVERHEAD_SECONDS : 0);
  try {
    for (const cluster of clustersOf(experiment)) {
      const seconds = experiment.durationSeconds + recoverySeconds + overheadSeconds;
      const endsAt = new Date(clock.nowEpochMs() + seconds * 1000).toISOString();
      // Before the call: a put that failed may have been written. Giving back asks for our own request id.
      taken.push(cluster);
      if (await locks.take({ cluster, experimentId, endsAt }, request.requestId)) continue;
      const holder = await locks.holder(cluster);
      await giveBack();
      if (holder === experimentId) return await replayDuplicate(experiment, dependencies);
      return { kind: 'refused', problem: clusterLocked(cluster, holder ?? '(just released)'), experiment };
    }
    const reservation: Reservation = {
      experimentId,
      requestHash: hashRequest(experiment),
      request: experiment,
      caller: request.caller,
      acceptedAt: new Date(clock.nowEpochMs()).toISOString(),
    };
    reserved = true; // before the call, for the same reason
    reserved = await reservations.reserve(reservation, request.requestId);
    if (!reserved) {
      await giveBack();
      return await replayDuplicate(experiment, dependencies);
    }
    await audit.append(experimentId, 'ADMITTED', request.caller, { experiment, facts });
  } catch (error) {
    // An append that failed may have been written: then the id stays taken, and the sweep concludes the experiment.
    if (await mayBeAdmitted(experimentId, reserved, dependencies)) throw error;
    // What cannot be given back now is freed by the sweep: without ADMITTED in the log nothing can have been started.
    await giveBack().catch((failure) => log.error('claim not given back', { experimentId, failure: String(failure) }));
    throw error;
  }
  return launch(experiment, request.caller, dependencies);
}

function recoveryOf(cluster: string, clusters: StartDependencies['clusters']): number {
  return Object.hasOwn(clusters, cluster) ? (clusters[cluster]?.budgets.recoverySeconds ?? 0) : 0;
}

async function mayBeAdmitted(experimentId: string, reserved: boolean, { audit }: StartDependencies): Promise<boolean> {
  if (!reserved) return false;
  try {
    return (await audit.read(experimentId)).length > 0;
  } catch {
    return true;
  }
}

async function launch(
  experiment: Experiment,
  caller: Caller,
  { leases, executions }: StartDependencies,
): Promise<Begun> {
  const { experimentId } = experiment;
  try {
    await leases.create(experimentId);
    await executions.start(experimentId, { experimentId, experiment, caller, rollbackOnly: false });
    return { kind: 'started', experimentId };
  } catch (error) {
    // The execution may exist although the call failed. Without its lease it applies nothing and ends by itself.
    await leases.release(experimentId, 'ABORT', `the start failed: ${String(error)}`).catch((failure) => {
      log.error('lease not released after a failed start', { experimentId, failure: String(failure) });
    });
    return unknown('the execution', error, experiment);
  }
}

/** For a repeated request: the answer of the one that has the id. Waits briefly while that one is in flight. */
async function replayDuplicate(
  experiment: Experiment,
  { audit, leases, reservations, clock }: StartDependencies,
): Promise<Begun> {
  const { experimentId } = experiment;
  const deadlineMs = clock.monotonicMs() + DUPLICATE_WAIT_MS;
  for (;;) {
    const stored = await reservations.find(experimentId);
    if (stored && stored.requestHash !== hashRequest(experiment)) return idConflict(experiment);
    const [entries, lease] = stored ? await Promise.all([audit.read(experimentId), leases.read(experimentId)]) : [[]];
    if (entries.length > 0) {
      return { kind: 'answer', answer: { status: 202, body: acceptedBody(experimentId, stateOf(entries, lease)) } };
    }
    if (clock.monotonicMs() >= deadlineMs) break;
    await clock.sleep(POLL_MS);
  }
  const detail = `experiment ${experimentId} is being started by another request, or its start failed: ask for its status, or use another id`;
  return { kind: 'refused', problem: problem('control-plane-unknown', detail, { experimentId }), experiment };
}

async function awaitInjection(
  experimentId: string,
  answerByMs: number,
  dependencies: StartDependencies,
): Promise<Answer> {
  const { audit, clock } = dependencies;
  const deadlineMs = Math.min(answerByMs, clock.monotonicMs() + INJECTED_WAIT_MS);
  for (;;) {
    try {
      const state = stateOf(await audit.read(experimentId));
      const settled = state.injection !== undefined || state.status !== 'ACCEPTED';
      if (settled || clock.monotonicMs() >= deadlineMs) return { status: 202, body: acceptedBody(experimentId, state) };
    } catch (error) {
      // It is started; that the log cannot be read now changes nothing about it.
      log.warn('log not readable while waiting', { experimentId, error: String(error) });
      if (clock.monotonicMs() >= deadlineMs) return { status: 202, body: { experimentId, status: 'ACCEPTED' } };
    }
    await clock.sleep(POLL_MS);
  }
}

/** The seed's answer. A fault that was applied is reported as INJECTED, also to a repeated request. */
function acceptedBody(experimentId: string, state: ReturnType<typeof stateOf>): object {
  if (state.injection) {
    const { injectedAt, endsAt } = state.injection;
    return { experimentId, status: 'INJECTED', injectedAt, rollbackScheduledAt: endsAt };
  }
  return { experimentId, status: state.status };
}

function dryRunAnswer(experiment: Experiment, { facts, wouldRun }: Admitted): Answer {
  return {
    status: 200,
    body: {
      experimentId: experiment.experimentId,
      dryRun: true,
      admitted: true,
      experiment,
      facts: { ...facts, targets: facts.targets.map(targetsDocument) },
      wouldRun,
    },
  };
}

async function recordRefusal(
  document: Problem,
  experiment: Experiment | undefined,
  request: StartRequest,
  { audit }: StartDependencies,
): Promise<Answer> {
  try {
    const details = { problem: document, dryRun: request.dryRun, ...(experiment ? { experiment } : {}) };
    await audit.append(`REFUSAL#${request.requestId}`, 'REFUSED', request.caller, details);
  } catch (error) {
    log.error('refusal not recorded', { requestId: request.requestId, error: String(error) });
  }
  return refusal(document);
}

function idConflict(experiment: Experiment): Begun {
  const { experimentId } = experiment;
  const detail = `not started: experiment id ${experimentId} was used for another request`;
  return { kind: 'refused', problem: problem('experiment-id-conflict', detail, { experimentId }), experiment };
}

function unknown(what: string, error: unknown, experiment?: Experiment): Begun {
  log.error('unknown means refuse', { what, error: String(error) });
  const detail = `${what} is in an unknown state: ${error instanceof Error ? error.name : 'error'}`;
  return { kind: 'refused', problem: problem('control-plane-unknown', detail), ...(experiment ? { experiment } : {}) };
}
