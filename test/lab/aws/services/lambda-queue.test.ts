import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AwsError } from '../../../../lab/aws/protocol/aws-error.ts';
import type { Outcome } from '../../../../lab/aws/services/lambda-environment.ts';
import { LambdaQueue, type QueuedFunction } from '../../../../lab/aws/services/lambda-queue.ts';

const succeeded: Outcome = { payload: 'null', requestId: 'r' };
const failed: Outcome = { ...succeeded, error: { errorType: 'Error', errorMessage: 'no', trace: [] } };

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A function that answers as it is told, and the seconds at which it was asked. */
function queued(answer: (second: number) => Outcome | 'throttled', change: Partial<QueuedFunction> = {}) {
  const startedMs = Date.now();
  const askedAtSecond: number[] = [];
  const givenUp: string[] = [];
  const target: QueuedFunction = {
    ...{ name: 'probe', maximumRetryAttempts: 0, maximumEventAgeSeconds: 60, onFailure: 'arn:destination' },
    async invoke() {
      const second = (Date.now() - startedMs) / 1000;
      askedAtSecond.push(second);
      const outcome = answer(second);
      if (outcome === 'throttled') throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
      return outcome;
    },
    ...change,
  };
  const queue = new LambdaQueue<QueuedFunction>(async (_target, destination, _event, outcome) => {
    givenUp.push(`${destination} ${outcome.error?.errorType}`);
  });
  return { queue, target, askedAtSecond, givenUp };
}

describe('an asynchronous event', () => {
  it('that is throttled is tried less and less often, and given up at its age, never run hours later', async () => {
    const { queue, target, askedAtSecond, givenUp } = queued(() => 'throttled');
    queue.put(target, {});
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(askedAtSecond).toEqual([0, 1, 3, 7, 15, 31]);
    expect(givenUp).toEqual(['arn:destination EventAgeExceeded']);
  });

  it('is run once the function is free again, and throttling is no attempt', async () => {
    const { queue, target, askedAtSecond, givenUp } = queued((second) => (second < 5 ? 'throttled' : succeeded));
    queue.put(target, {});
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([askedAtSecond, givenUp]).toEqual([[0, 1, 3, 7], []]);
  });

  it('whose function fails is tried as often as is configured, and not beyond its age', async () => {
    const often = queued(() => failed, { maximumRetryAttempts: 2, maximumEventAgeSeconds: 21_600 });
    often.queue.put(often.target, {});
    const young = queued(() => failed, { maximumRetryAttempts: 2, maximumEventAgeSeconds: 100 });
    young.queue.put(young.target, {});
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([often.askedAtSecond, often.givenUp]).toEqual([[0, 60, 180], ['arn:destination Error']]);
    expect([young.askedAtSecond, young.givenUp]).toEqual([[0, 60], ['arn:destination EventAgeExceeded']]);
  });

  it('may be delivered twice', async () => {
    const { queue, target, askedAtSecond } = queued(() => succeeded);
    queue.deliverTwice = true;
    queue.put(target, {});
    await vi.advanceTimersByTimeAsync(1);
    expect(askedAtSecond).toEqual([0, 0]);
  });
});
