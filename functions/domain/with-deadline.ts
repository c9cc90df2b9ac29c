import type { Clock } from './clock.ts';
import { RECORD_DEADLINE_MS } from './timing.ts';

/** What `act` gives, if it does within that time; it goes on unwatched afterwards. @throws Error when the time is over */
export async function withDeadline<T>(
  act: Promise<T>,
  clock: Clock,
  withinMs: number = RECORD_DEADLINE_MS,
): Promise<T> {
  const done = new AbortController();
  const timeout = clock.sleep(withinMs, done.signal).then(() => {
    throw new Error(`no answer within ${Math.ceil(withinMs)} ms`);
  });
  // Whichever loses the race may still reject; nobody waits for it then.
  timeout.catch(() => {});
  act.catch(() => {});
  try {
    return await Promise.race([act, timeout]);
  } finally {
    done.abort();
  }
}

/** A moment after which nothing is begun and nothing is waited for, whatever the other side does. */
export class Deadline {
  readonly #clock: Clock;
  /** Monotonic. */
  readonly atMs: number;

  constructor(clock: Clock, atMs: number) {
    this.#clock = clock;
    this.atMs = atMs;
  }

  /** @throws Error when the time is over: then the act was not begun, or nobody knows how it ended. */
  async within<T>(act: () => Promise<T>): Promise<T> {
    const leftMs = this.atMs - this.#clock.monotonicMs();
    if (leftMs <= 0) throw new Error('no time is left');
    return withDeadline(act(), this.#clock, leftMs);
  }
}
