import type { Clock } from '../../domain/clock.ts';
import type { SeenValue, SentValue } from '../../domain/value-account.ts';

/** Everything that a probe has sent and read, for its account. */
export class ProbeLedger {
  readonly sent: SentValue[] = [];
  readonly seen: SeenValue[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An acknowledgement counts however late it comes. */
  send(write: Pick<SentValue, 'key' | 'value' | 'through'>): { acknowledge(): void } {
    const entry: SentValue = { ...write, sentAtMs: this.#clock.monotonicMs() };
    this.sent.push(entry);
    return {
      acknowledge: () => {
        entry.acknowledgedAtMs = this.#clock.monotonicMs();
      },
    };
  }

  /** @throws Error as `read` does: then nothing was seen */
  async read(key: string, read: () => Promise<string | null>): Promise<string | null> {
    const startedAtMs = this.#clock.monotonicMs();
    const value = await read();
    this.seen.push({ key, startedAtMs, endedAtMs: this.#clock.monotonicMs(), value });
    return value;
  }
}
