import type { Clock } from '../functions/domain/clock.ts';
import { type ExperimentStatus, TERMINAL_STATUSES } from '../functions/domain/experiment.ts';
import { TTL_SECONDS } from '../functions/domain/timing.ts';
import { readBody, renderAnswer } from './answers.ts';
import type { ApiAnswer, ApiClient } from './api-client.ts';
import { type ExperimentDocument, experimentSchema, type StatusDocument, statusSchema } from './api-documents.ts';
import { CommandError, message } from './exit-codes.ts';
import type { Interrupt } from './interrupt.ts';
import { untilLeft } from './leaving.ts';
import { printable, renderTimelineEntry } from './render.ts';
import { renderFrame, renderPlainStatus } from './render-status.ts';
import type { Screen } from './render-terminal.ts';
import { type AbortRequest, createAbortRequest } from './request-abort.ts';

export type End =
  | { kind: 'ended'; document: ExperimentDocument }
  /** The fault is in place, and following was wanted only until then. */
  | { kind: 'in place'; document: ExperimentDocument }
  /** It waits for another person. */
  | { kind: 'pending'; document: ExperimentDocument }
  | { kind: 'refused'; answer: ApiAnswer }
  /** The API could not be asked any more: how it ended is unknown. */
  | { kind: 'lost'; reason: string }
  /** The user did not want to wait any longer. */
  | { kind: 'left' };

export type Lost = Extract<End, { kind: 'lost' }>;

/** What a user asks for while an experiment is followed. */
export type Wishes = Pick<Interrupt, 'abort' | 'leave' | 'onAbortTaken'>;

interface Ports {
  client: ApiClient;
  clock: Clock;
  screen: Screen;
}

const IN_PLACE: ExperimentStatus = 'RUNNING';
const PENDING: ExperimentStatus = 'PENDING_APPROVAL';
const NOT_BEGUN: readonly ExperimentStatus[] = [PENDING, 'ACCEPTED'];
const POLL_MS = 1_000;
/** A log gets a status line when something changed, and this often at least. */
const PLAIN_STATUS_EVERY_MS = 10_000;
const SILENCE_LIMIT_MS = 30_000;

/**
 * Polls status and timeline every second until the experiment is over, and shows both. The answer to the start is
 * awaited beside it: it comes only when the fault is in place, and by then there is something to see. An aborted
 * `wishes.abort` becomes `POST …/abort`, repeated until the API took it. Only a 4xx is a refusal of the start: a 5xx, or
 * no answer at all, says nothing about whether it began. An API that is silent for long is given up, but not while the
 * user's abort is not taken: then only when no fault can be in place any more. Who leaves waits for no answer.
 * @param path of the experiment, `/api/v1/chaos/experiments/<id>`.
 * @param until `'in place'`: no longer than until the fault is there, unless it is aborted.
 */
export async function followExperiment(
  path: string,
  start: Promise<ApiAnswer>,
  wishes: Wishes,
  ports: Ports,
  until: 'over' | 'in place' = 'over',
): Promise<End> {
  const impatient = { ...ports, client: untilLeft(ports.client, wishes.leave) };
  const abort = createAbortRequest(path, wishes.onAbortTaken, impatient);
  // At once: not after the look that is going on, nor at the next one. What is wrong with it the next look will say.
  const atOnce = (): void => void abort.ask().catch(() => undefined);
  wishes.abort.addEventListener('abort', atOnce);
  try {
    return await look(path, start, wishes, impatient, until, abort);
  } finally {
    wishes.abort.removeEventListener('abort', atOnce);
  }
}

async function look(
  path: string,
  start: Promise<ApiAnswer>,
  wishes: Wishes,
  { client, clock, screen }: Ports,
  until: 'over' | 'in place',
  abort: AbortRequest,
): Promise<End> {
  let refusal: ApiAnswer | undefined;
  /** When the start was answered or failed; later, when the API last showed the experiment. */
  let lastAnswerMs: number | undefined;
  start
    .then(
      (answer) => {
        if (wishes.leave.aborted) return;
        if (answer.status >= 500) {
          const unknown = screen.paint('bad', 'Whether it began is unknown; asking.');
          screen.print([...renderAnswer(answer, screen.paint), unknown]);
        } else if (answer.status >= 400) refusal = answer;
      },
      (error: unknown) => {
        if (wishes.leave.aborted) return;
        screen.print([screen.paint('bad', `The start got no answer (${reasonOf(error)}); asking whether it began.`)]);
      },
    )
    .finally(() => {
      lastAnswerMs = clock.monotonicMs();
    });
  const show = createShow(clock, screen);
  let isKnown = false;
  let lastStatus: number | undefined;
  let complained = false;
  let saidNotTaken = false;
  /** From then on no fault is in place, whatever became of an abort. Until the API has said it: the longest there is. */
  let ttlEndMs = clock.monotonicMs() + TTL_SECONDS.max * 1000;

  for (;;) {
    if (refusal !== undefined) return { kind: 'refused', answer: refusal };
    if (wishes.leave.aborted) {
      screen.frame([]);
      return { kind: 'left' };
    }
    try {
      if (wishes.abort.aborted) await abort.ask();
      lastStatus = undefined;
      const detail = await client.call('GET', path);
      lastStatus = detail.status;
      const status = await client.call('GET', `${path}/status`);
      if (detail.status === 200 && status.status === 200) {
        isKnown = true;
        const document = readBody(experimentSchema, detail);
        // Not before: one that cannot be read says nothing, however often it is asked for.
        lastAnswerMs = clock.monotonicMs();
        complained = false;
        const shown = readBody(statusSchema, status);
        // Before the fault is in place its TTL has not begun.
        const leftSeconds = NOT_BEGUN.includes(shown.status) ? undefined : shown.remainingSeconds;
        ttlEndMs = lastAnswerMs + (leftSeconds ?? TTL_SECONDS.max) * 1000;
        show(shown, document);
        if (TERMINAL_STATUSES.includes(document.status)) {
          screen.frame([]);
          return { kind: 'ended', document };
        }
        if (document.status === PENDING && !wishes.abort.aborted) {
          screen.frame([]);
          return { kind: 'pending', document };
        }
        if (until === 'in place' && document.status === IN_PLACE && !wishes.abort.aborted) {
          screen.frame([]);
          return { kind: 'in place', document };
        }
      } else if (detail.status !== 404 && !complained) {
        complained = true;
        screen.print([screen.paint('bad', `The API answered ${detail.status} to GET ${path}; asking again.`)]);
      }
    } catch (error) {
      if (!complained && !wishes.leave.aborted)
        screen.print([screen.paint('bad', `The API could not be asked: ${reasonOf(error)}; asking again.`)]);
      complained = true;
    }
    const heardMs = lastAnswerMs === undefined ? undefined : Math.max(lastAnswerMs, abort.takenAtMs() ?? lastAnswerMs);
    if (heardMs !== undefined && clock.monotonicMs() - heardMs > SILENCE_LIMIT_MS) {
      const isUnknown = !isKnown && lastStatus === 404;
      const isNotTaken = wishes.abort.aborted && abort.takenAtMs() === undefined;
      if (isUnknown || !isNotTaken || clock.monotonicMs() > ttlEndMs) {
        screen.frame([]);
        return { kind: 'lost', reason: reasonOfLoss(isUnknown, isNotTaken) };
      }
      if (!saidNotTaken) {
        const at = new Date(clock.nowEpochMs() + ttlEndMs - clock.monotonicMs()).toISOString();
        screen.print([
          screen.paint(
            'bad',
            `The abort is NOT taken yet; asking on. A fault that is in place ends by its TTL by ${at}.`,
          ),
        ]);
      }
      saidNotTaken = true;
    }
    // Who leaves does not wait for the next look.
    await clock.sleep(POLL_MS, wishes.leave).catch(() => undefined);
  }
}

function reasonOfLoss(isUnknown: boolean, isNotTaken: boolean): string {
  const seconds = SILENCE_LIMIT_MS / 1000;
  if (isUnknown) {
    return `The experiment is not known to the API ${seconds} s after its start ended: nothing shows that it began.`;
  }
  return isNotTaken
    ? 'The abort was NOT taken, and how the experiment ended is unknown. Its TTL is over: hosts lifted their faults by themselves.'
    : `Nothing was heard of the experiment for ${seconds} s; its end is unknown. Hosts lift their faults by themselves.`;
}

/** Without what is said here anyway. */
function reasonOf(error: unknown): string {
  return printable(message(error instanceof CommandError && error.cause !== undefined ? error.cause : error));
}

function createShow(clock: Clock, screen: Screen): (status: StatusDocument, document: ExperimentDocument) => void {
  let lastSequence = 0;
  let lastState = '';
  let lastPlainMs = Number.NEGATIVE_INFINITY;
  return (status, document) => {
    const added = document.timeline.filter((entry) => entry.sequence > lastSequence);
    lastSequence = Math.max(lastSequence, ...added.map((entry) => entry.sequence));
    if (added.length > 0) screen.print(added.map((entry) => renderTimelineEntry(entry, screen.paint)));
    if (screen.live) {
      screen.frame(renderFrame(status, screen.paint, document));
      return;
    }
    const breached = (status.guardrails ?? [])
      .filter((reading) => reading.breached)
      .map((reading) => reading.guardrail);
    const checks = (status.checks ?? []).map((check) => `${check.name} ${check.state}`);
    const state = [status.status, ...breached, ...checks].join(' ');
    if (state === lastState && clock.monotonicMs() - lastPlainMs < PLAIN_STATUS_EVERY_MS) return;
    lastState = state;
    lastPlainMs = clock.monotonicMs();
    screen.print(renderPlainStatus(status));
  };
}
