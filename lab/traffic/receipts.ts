import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { isOn } from '../shared/switches.ts';

/**
 * Above what a receipt takes with 100 ms more on one broker. A member gets 17 orders a second, so that with 300 ms each
 * 5 of its 10 workers are busy, and soon none, as the breaker opens.
 */
export const RECEIPT_TIMEOUT_MS = 300;
export const FAILURES_BEFORE_OPEN = 5;
/** Then one receipt is tried. */
export const OPEN_MS = 2_000;

/** A receipt written; one that failed or came too late; an order that was given up without a try. */
export const RESULTS = ['processed', 'failed', 'dead_letter'] as const;
export type Result = (typeof RESULTS)[number];

export interface ReceiptWriter {
  /** Never rejects. */
  write(receipt: (signal?: AbortSignal) => Promise<unknown>): Promise<Result>;
  isOpen(): boolean;
}

/** Stops asking brokers that do not answer in time, so that the workers stay free. */
export function writerWithBreaker(): ReceiptWriter {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: OPEN_MS,
    breaker: new ConsecutiveBreaker(FAILURES_BEFORE_OPEN),
  });
  const policy = wrap(breaker, timeout(RECEIPT_TIMEOUT_MS, TimeoutStrategy.Aggressive));
  return {
    async write(receipt) {
      // While one is tried the library lets the others wait for its end, and would keep their workers.
      if (breaker.state === CircuitState.HalfOpen) return 'dead_letter';
      try {
        await policy.execute(({ signal }) => receipt(signal));
        return 'processed';
      } catch (error) {
        return error instanceof BrokenCircuitError ? 'dead_letter' : 'failed';
      }
    },
    isOpen: () => breaker.state !== CircuitState.Closed,
  };
}

/** A worker waits for as long as the client does. */
export const writerWithoutBreaker: ReceiptWriter = {
  write: (receipt) =>
    receipt().then(
      () => 'processed',
      () => 'failed',
    ),
  isOpen: () => false,
};

/** What LAB_CONSUMER_BREAKER says. @throws Error naming what it may say */
export function writerNamed(breaker: string | undefined): ReceiptWriter {
  return isOn('LAB_CONSUMER_BREAKER', breaker) ? writerWithBreaker() : writerWithoutBreaker;
}
