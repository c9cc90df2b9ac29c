import type { Clock } from '../functions/domain/clock.ts';
import { exitCodeOfAnswer, expectStatus, isRefusal, readBody, renderAnswer } from './answers.ts';
import { type ApiAnswer, type ApiClient, EXPERIMENTS_PATH, pathOf } from './api-client.ts';
import { dryRunSchema, type ExperimentDocument, experimentSchema, statusSchema } from './api-documents.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import type { ExperimentText } from './experiment-file.ts';
import { type End, followExperiment, type Wishes } from './follow.ts';
import type { Interrupt } from './interrupt.ts';
import { Left, untilLeft } from './leaving.ts';
import { renderPending } from './render-approval.ts';
import { renderDryRun, renderVerdict } from './render-result.ts';
import type { Screen } from './render-terminal.ts';

export interface RunPorts {
  client: ApiClient;
  clock: Clock;
  screen: Screen;
  /** Receives the one document of `--json`. */
  writeDocument(document: unknown): void;
}

export type RunEnd =
  | End
  /** An id runs once: nothing was started now. */
  | { kind: 'ran before'; document: ExperimentDocument }
  /** Aborted by the user while nothing had been touched. */
  | { kind: 'not started' };

/** Beside what is wished while it is followed: whether somebody is being asked something before the start. */
export type RunWishes = Wishes & Pick<Interrupt, 'answered'>;

type Payload = Pick<ExperimentText, 'experimentId' | 'payload'> & Partial<Pick<ExperimentText, 'where'>>;

/**
 * Dry run, start, follow, report. A started experiment is never left but by the user's wish: whatever goes wrong with our
 * own calls, it is followed until it is over or the API has been silent for long.
 * @param until `'in place'`: back as soon as the fault is there
 */
export async function runExperiment(
  experiment: Payload,
  wishes: RunWishes,
  ports: RunPorts,
  until: 'over' | 'in place' = 'over',
): Promise<RunEnd> {
  const { client, screen } = ports;
  const { experimentId, payload } = experiment;
  const path = pathOf(experimentId);
  try {
    const impatient = { ...ports, client: untilLeft(client, wishes.leave) };
    const known = await impatient.client.call('GET', `${path}/status`);
    if (known.status === 200) return await ranBefore(experimentId, known, impatient);
    const admission = await dryRun(experiment, impatient);
    if (admission.status !== 200) return refused(experiment, admission, ports);
  } catch (error) {
    if (!(error instanceof Left)) throw error;
  }
  await wishes.answered();
  if (wishes.abort.aborted || wishes.leave.aborted) {
    screen.print(['Interrupted before the start: nothing was touched.']);
    ports.writeDocument({ experimentId, status: 'NOT_STARTED' });
    return { kind: 'not started' };
  }

  screen.print([screen.paint('bold', `${experimentId}: starting`)]);
  const start = client.call('POST', EXPERIMENTS_PATH, payload);
  const end = await followExperiment(path, start, wishes, ports, until);
  if (end.kind === 'refused') return refused(experiment, end.answer, ports);
  report(experimentId, end, ports);
  return end;
}

/** Every check against the real targets; nothing is touched. Shows what would be done. */
export async function dryRun({ experimentId, payload }: Payload, ports: RunPorts): Promise<ApiAnswer> {
  const { client, screen } = ports;
  screen.print([screen.paint('bold', `${experimentId}: dry run`)]);
  const answer = await client.call('POST', `${EXPERIMENTS_PATH}?dryRun=true`, payload);
  if (answer.status === 200) screen.print(renderDryRun(readBody(dryRunSchema, answer), screen.paint));
  return answer;
}

/** Shows and writes how an experiment ended that was followed. */
export function report(experimentId: string, end: End, { screen, writeDocument }: RunPorts): void {
  if (end.kind === 'ended') {
    screen.print(renderVerdict(end.document, screen.paint));
    writeDocument(summary(end.document));
  } else if (end.kind === 'in place') {
    screen.print([`The fault is in place. See it with: holdfast watch ${experimentId}`]);
    writeDocument(summary(end.document));
  } else if (end.kind === 'pending') {
    const { approval } = end.document;
    if (approval) screen.print(renderPending(experimentId, approval, screen.paint));
    writeDocument({ ...summary(end.document), approval });
  } else if (end.kind === 'lost' || end.kind === 'left') {
    const reason = end.kind === 'lost' ? end.reason : 'The command was left before its end.';
    if (end.kind === 'lost') screen.print([screen.paint('bad', reason)]);
    writeDocument({ experimentId, status: 'UNKNOWN', reason });
  }
}

/** Shows and writes why it was not started. */
export function refused({ experimentId, where }: Payload, answer: ApiAnswer, ports: RunPorts): RunEnd {
  ports.screen.print(renderAnswer(answer, ports.screen.paint, where));
  // What an API says that failed, or a proxy before it, is no refusal; it was not started all the same.
  const status = isRefusal(answer) ? 'REFUSED' : 'NOT_STARTED';
  ports.writeDocument({ experimentId, status, problem: answer.body ?? null });
  return { kind: 'refused', answer };
}

/** What the command's user gets of it. */
export function exitCodeOfRun(end: RunEnd): number {
  switch (end.kind) {
    case 'ended':
      return exitCodeOf(end.document.status, end.document.outcome);
    case 'in place':
      return EXIT.notOver;
    case 'pending':
      return EXIT.pendingApproval;
    case 'refused':
      return exitCodeOfAnswer(end.answer);
    case 'ran before':
      return EXIT.refused;
    case 'not started':
      return EXIT.aborted;
    case 'lost':
    case 'left':
      return EXIT.inconclusive;
  }
}

async function ranBefore(experimentId: string, known: ApiAnswer, ports: RunPorts): Promise<RunEnd> {
  const { client, screen } = ports;
  const { status } = readBody(statusSchema, known);
  if (status === 'PENDING_APPROVAL') {
    const pending = await client.call('GET', pathOf(experimentId));
    expectStatus(pending, 200);
    const end: RunEnd = { kind: 'pending', document: readBody(experimentSchema, pending) };
    report(experimentId, end, ports);
    return end;
  }
  screen.print([
    `${experimentId} was started before and is ${status}; an id runs once, so nothing was started now.`,
    'What follows is that run. To run it again, give the file another experimentId.',
  ]);
  const detail = await client.call('GET', pathOf(experimentId));
  expectStatus(detail, 200);
  const document = readBody(experimentSchema, detail);
  screen.print(renderVerdict(document, screen.paint));
  ports.writeDocument({ ...summary(document), startedNow: false });
  return { kind: 'ran before', document };
}

/** The API calls its list of audit records `record`; a list has a plural here. */
export function summary(document: ExperimentDocument): Record<string, unknown> {
  const { experimentId, status, outcome, reason, experiment, targets, budgets, checks, findings, probes, nodes } =
    document;
  const { record: records, timeline } = document;
  const asked = { experimentId, status, outcome, reason, experiment, targets };
  return { ...asked, budgets, checks, findings: findings ?? [], probes, records, timeline, nodes };
}
