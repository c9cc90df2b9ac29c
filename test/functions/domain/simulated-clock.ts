import type { Clock } from '../../../functions/domain/clock.ts';
import { asleep } from './asleep.ts';
import { EPOCH_MS } from './fixtures.ts';

interface Sleeper {
  atMs: number;
  wake: () => void;
  awake: boolean;
}

/**
 * Time that passes only when everyone sleeps: minutes of a workflow in milliseconds of a test, always the same way. Whoever
 * still sleeps when the test is over never wakes.
 */
export class SimulatedClock implements Clock {
  readonly #startEpochMs: number;
  #elapsedMs = 0;
  #sleepers: Sleeper[] = [];

  constructor(startEpochMs = EPOCH_MS) {
    this.#startEpochMs = startEpochMs;
  }

  nowEpochMs(): number {
    return this.#startEpochMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** Lets time pass within a call, as a slow answer does. */
  advance(milliseconds: number): void {
    this.#elapsedMs += milliseconds;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = {
        atMs: this.#elapsedMs + milliseconds,
        awake: false,
        wake: () => {
          signal?.removeEventListener('abort', interrupt);
          resolve();
        },
      };
      const interrupt = () => {
        sleeper.awake = true;
        reject(signal?.reason);
      };
      if (signal?.aborted) return interrupt();
      signal?.addEventListener('abort', interrupt, { once: true });
      this.#sleepers.push(sleeper);
      asleep.add(this);
      setImmediate(() => this.#wakeNext());
    });
  }

  abandonSleepers(): void {
    this.#sleepers = [];
    asleep.delete(this);
  }

  #wakeNext(): void {
    this.#sleepers = this.#sleepers.filter((sleeper) => !sleeper.awake).sort((a, b) => a.atMs - b.atMs);
    const next = this.#sleepers.shift();
    if (this.#sleepers.length === 0) asleep.delete(this);
    if (!next) return;
    this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
    next.awake = true;
    next.wake();
  }
}
