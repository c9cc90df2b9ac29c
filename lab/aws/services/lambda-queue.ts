import { randomUUID } from 'node:crypto';
import { AwsError } from '../protocol/aws-error.ts';
import type { Outcome } from './lambda-environment.ts';

/** Waits before the second and third attempt of an event whose function failed. */
const RETRY_DELAYS_MS = [60_000, 120_000];
/** Of an event that was throttled: twice as long each time, from the first to the longest. */
const THROTTLE_DELAY_MS = { first: 1000, longest: 300_000 };

/** What the queue needs to know of a function. */
export interface QueuedFunction {
  name: string;
  maximumRetryAttempts: number;
  maximumEventAgeSeconds: number;
  /** ARN of the destination of events that were given up. */
  onFailure: string | undefined;
  /** @throws AwsError TooManyRequestsException when it is throttled */
  invoke(event: unknown): Promise<Outcome>;
}

interface Queued<F> {
  target: F;
  event: unknown;
  queuedAtMs: number;
  attempts: number;
  throttles: number;
}

/** Lambda's queue of asynchronous events: each is delivered at least once, or given up when it is too old. */
export class LambdaQueue<F extends QueuedFunction> {
  /** Lambda may deliver an event twice at any time. */
  deliverTwice = false;
  readonly #giveUp: (target: F, destination: string, event: unknown, outcome: Outcome) => Promise<void>;
  readonly #timers = new Set<NodeJS.Timeout>();

  /** @param giveUp sends an event to the destination of its function */
  constructor(giveUp: (target: F, destination: string, event: unknown, outcome: Outcome) => Promise<void>) {
    this.#giveUp = giveUp;
  }

  put(target: F, event: unknown): void {
    for (let copy = 0; copy < (this.deliverTwice ? 2 : 1); copy += 1) {
      void this.#attempt({ target, event, queuedAtMs: Date.now(), attempts: 0, throttles: 0 });
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #attempt(queued: Queued<F>): Promise<void> {
    const { target, event, queuedAtMs, attempts, throttles } = queued;
    if (Date.now() - queuedAtMs > target.maximumEventAgeSeconds * 1000) {
      await this.#fail(queued, failure('EventAgeExceeded', `older than ${target.maximumEventAgeSeconds} s`));
      return;
    }
    try {
      const outcome = await target.invoke(event);
      if (outcome.error === undefined) return;
      if (attempts >= target.maximumRetryAttempts) await this.#fail(queued, outcome);
      else this.#later(RETRY_DELAYS_MS[attempts] ?? 120_000, { ...queued, attempts: attempts + 1 });
    } catch (error) {
      // Throttled: Lambda keeps the event and tries again; that is no attempt.
      if (error instanceof AwsError && error.code === 'TooManyRequestsException') {
        const { first, longest } = THROTTLE_DELAY_MS;
        this.#later(Math.min(first * 2 ** throttles, longest), { ...queued, throttles: throttles + 1 });
      } else await this.#fail(queued, failure('InternalError', String(error)));
    }
  }

  async #fail({ target, event }: Queued<F>, outcome: Outcome): Promise<void> {
    console.error(
      `lambda: event for ${target.name} given up: ${outcome.error?.errorType} ${outcome.error?.errorMessage}`,
    );
    if (target.onFailure === undefined) return;
    await this.#giveUp(target, target.onFailure, event, outcome).catch((error: unknown) =>
      console.error(`lambda: destination of ${target.name}:`, error),
    );
  }

  #later(delayMs: number, queued: Queued<F>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#attempt(queued);
    }, delayMs);
    this.#timers.add(timer);
  }
}

function failure(errorType: string, errorMessage: string): Outcome {
  const error = { errorType, errorMessage, trace: [] };
  return { payload: JSON.stringify(error), error, requestId: randomUUID() };
}
