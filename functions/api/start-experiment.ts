import type { Admission, AdmissionFacts } from '../domain/admission.ts';
import { refusalId } from '../domain/audit-entry.ts';
import { boundedProblem } from '../domain/bounded-problem.ts';
import type { Clock } from '../domain/clock.ts';
import type { Caller, RequestedExperiment } from '../domain/experiment.ts';
import type { KillSwitch } from '../domain/kill-switch.ts';
import { type ClusterLimits, parseExperiment } from '../domain/parse-experiment.ts';
import { killSwitchEngaged } from '../domain/problem.ts';
import { stateOf } from '../domain/status.ts';
import { ADMISSION_KNOWN_MS, ANSWER_WITHIN_MS, INJECTED_WAIT_MS, START_BY_MS } from '../domain/timing.ts';
import { Deadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { type Answer, refusal } from './answer.ts';
import { type Begun, type StartDeadlines, type StartRequest, unknown } from './begun.ts';
import { type ClaimDependencies, claim } from './claim.ts';
import { requestApproval } from './request-approval.ts';
import { acceptedBody, replayDuplicate } from './stored-answer.ts';
import { targetsDocument } from './targets-document.ts';

const POLL_MS = 200;

export interface StartDependencies extends ClaimDependencies {
  reservations: ClaimDependencies['reservations'] & {
    noteAdmission(experimentId: string, untilEpochMs: number): Promise<void>;
  };
  admit(experiment: RequestedExperiment, caller: Caller): Promise<Admission>;
  clusters: ClusterLimits & ClaimDependencies['clusters'];
}

/**
 * POST: kill switch → parse → note → stored answer → admit → locks → kill switch again → reserve → announce → audit → lease → execution → wait for
 * INJECTED. Up to the audit entry everything taken is given back on failure; after it an execution may exist, so the
 * lease is released and the rest is left to the sweep. Answers within `ANSWER_WITHIN_MS`, whoever hangs.
 */
export async function startExperiment(request: StartRequest, dependencies: StartDependencies): Promise<Answer> {
  const deadlines = deadlinesOf(dependencies.clock);
  return answerBegun(await begin(request, dependencies, deadlines), request, dependencies, deadlines);
}

/** Counted from now. */
export function deadlinesOf(clock: Clock): StartDeadlines {
  const startedMs = clock.monotonicMs();
  const by = (ms: number) => new Deadline(clock, startedMs + ms);
  return {
    admitted: by(START_BY_MS.admitted),
    claimed: by(START_BY_MS.claimed),
    givenBack: by(START_BY_MS.givenBack),
    answered: by(ANSWER_WITHIN_MS),
  };
}

/** A refusal is recorded before it is given, and what was started is waited for. */
export async function answerBegun(
  begun: Begun,
  request: Omit<StartRequest, 'body'>,
  dependencies: Pick<StartDependencies, 'audit' | 'clock'>,
  { answered }: Pick<StartDeadlines, 'answered'>,
): Promise<Answer> {
  if (begun.kind === 'answer') return begun.answer;
  if (begun.kind === 'refused') return recordRefusal(begun, request, dependencies.audit, answered);
  const { experimentId, startsAt } = begun;
  if (startsAt !== undefined) return { status: 202, body: { experimentId, status: 'ACCEPTED', startsAt } };
  return awaitInjection(experimentId, answered, dependencies);
}

async function begin(
  request: StartRequest,
  dependencies: StartDependencies,
  deadlines: StartDeadlines,
): Promise<Begun> {
  const { reservations, clock } = dependencies;
  const { admitted } = deadlines;
  let switchesBefore: KillSwitch[];
  try {
    switchesBefore = await readSwitches(dependencies, admitted);
    // That of all. Those of the clusters are admission's to ask for: which they are is not known yet.
    const engaged = switchesBefore.find((each) => each.cluster === undefined && each.engaged);
    if (engaged) return (await startedBefore(request, dependencies, deadlines)) ?? refusedBy(engaged);
  } catch (error) {
    return unknown('the kill switch', error);
  }
  const parsed = parseExperiment(request.body, dependencies.clusters);
  if (!parsed.ok) return { kind: 'refused', problem: parsed.problem };
  const { experiment } = parsed;
  const { experimentId } = experiment;
  const replay = () => replayDuplicate(experiment, dependencies, deadlines.claimed);
  try {
    if (!request.dryRun) {
      // From here on an abort of this id is remembered.
      const untilEpochMs = clock.nowEpochMs() + ADMISSION_KNOWN_MS;
      await admitted.within(() => reservations.noteAdmission(experimentId, untilEpochMs));
      if (await admitted.within(() => reservations.find(experimentId))) return await replay();
    }
    const admission = await admitted.within(() => dependencies.admit(experiment, request.caller));
    if (!admission.admitted) {
      const heldByDuplicate = !request.dryRun && admission.problem.heldBy === experimentId;
      if (heldByDuplicate) return await replay();
      return { kind: 'refused', problem: admission.problem, experiment };
    }
    if (request.dryRun) return { kind: 'answer', answer: dryRunAnswer(admission) };
    const { facts } = admission;
    if (needsApproval(facts)) {
      return await requestApproval(experiment, { ...admission, facts }, request, dependencies, deadlines);
    }
    return await claim(experiment, admission, { ...request, switchesBefore }, dependencies, deadlines);
  } catch (error) {
    return unknown('the start', error, experiment);
  }
}

const refusedBy = (engaged: KillSwitch): Begun => ({ kind: 'refused', problem: killSwitchEngaged(engaged) });

/** Whoever repeats a request under an engaged switch is told what became of the first one: by that nothing starts. */
async function startedBefore(
  { body, dryRun }: StartRequest,
  dependencies: StartDependencies,
  { admitted, claimed }: StartDeadlines,
): Promise<Begun | undefined> {
  const parsed = parseExperiment(body, dependencies.clusters);
  if (!parsed.ok || dryRun) return undefined;
  const { experiment } = parsed;
  try {
    const stored = await admitted.within(() => dependencies.reservations.find(experiment.experimentId));
    return stored && (await replayDuplicate(experiment, dependencies, claimed));
  } catch (error) {
    log.warn('a start before could not be looked for', { experimentId: experiment.experimentId, error: String(error) });
    return undefined;
  }
}

/** Every switch as it is before admission is asked, for `claim` to see which was turned meanwhile. */
export function readSwitches({ switches, clusters }: StartDependencies, admitted: Deadline): Promise<KillSwitch[]> {
  return admitted.within(() => switches.read(Object.keys(clusters)));
}

function needsApproval(facts: AdmissionFacts): facts is AdmissionFacts & Required<Pick<AdmissionFacts, 'approval'>> {
  return facts.approval !== undefined;
}

async function awaitInjection(
  experimentId: string,
  answered: Deadline,
  { audit, clock }: Pick<StartDependencies, 'audit' | 'clock'>,
): Promise<Answer> {
  const deadlineMs = Math.min(answered.atMs, clock.monotonicMs() + INJECTED_WAIT_MS);
  for (;;) {
    try {
      const state = stateOf(await answered.within(() => audit.read(experimentId)));
      const settled = state.injection !== undefined || state.status !== 'ACCEPTED';
      if (settled || clock.monotonicMs() >= deadlineMs) return { status: 202, body: acceptedBody(experimentId, state) };
    } catch (error) {
      // It is started; that the log cannot be read now changes nothing about it.
      log.warn('log not readable while waiting', { experimentId, error: String(error) });
      if (clock.monotonicMs() >= deadlineMs) return { status: 202, body: { experimentId, status: 'ACCEPTED' } };
    }
    await clock.sleep(Math.min(POLL_MS, Math.max(0, deadlineMs - clock.monotonicMs())));
  }
}

export function dryRunAnswer({ experiment, facts, wouldRun }: Extract<Admission, { admitted: true }>): Answer {
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
  { problem: whole, experiment }: Extract<Begun, { kind: 'refused' }>,
  { ownerToken, caller, dryRun }: Omit<StartRequest, 'body'>,
  audit: Pick<AuditLog, 'append'>,
  answered: Deadline,
): Promise<Answer> {
  const document = boundedProblem(whole);
  try {
    const details = { problem: document, dryRun, ...(experiment ? { experiment } : {}) };
    await answered.within(() => audit.append(refusalId(ownerToken), 'REFUSED', caller, details));
  } catch (error) {
    log.error('refusal not recorded', { ownerToken, error: String(error) });
  }
  return refusal(document);
}
