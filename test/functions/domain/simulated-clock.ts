import type { Clock } from '../../../functions/domain/clock.ts';
import { EPOCH_MS } from './fixtures.ts';

interface Sleeper {
  atMs: number;
  wake: () => void;
  awake: boolean;
}

/** Time that passes only when everyone sleeps: minutes of a workflow in milliseconds of a test, always the same way. */
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
      const sleeper: Sleeper = { atMs: this.#elapsedMs + milliseconds, wake: resolve, awake: false };
      signal?.addEventListener('abort', () => {
        sleeper.awake = true;
        reject(signal.reason);
      });
      this.#sleepers.push(sleeper);
      setImmediate(() => this.#wakeNext());
    });
  }

  #wakeNext(): void {
    this.#sleepers = this.#sleepers.filter((sleeper) => !sleeper.awake).sort((a, b) => a.atMs - b.atMs);
    const next = this.#sleepers.shift();
    if (!next) return;
    this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
    next.awake = true;
    next.wake();
  }
}
