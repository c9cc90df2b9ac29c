import type { Clock } from '../../domain/clock.ts';
import type { SentValue } from '../../domain/value-account.ts';
import type { CqlClient } from './probe-clients.ts';
import type { Change, ProbeTable } from './probe-table.ts';

const INTERVAL_MS = 250;

/** A node that coordinates writes of its own. */
export interface Coordinator {
  name: string;
  client: CqlClient;
}

/** Told of what is sent, acknowledged and read. */
export interface Ledger {
  send(write: Pick<SentValue, 'key' | 'value' | 'through'>): { acknowledge(): void };
  read(key: string, read: () => Promise<string | null>): Promise<unknown>;
}

/**
 * Two clients of one key, four times a second: Alice through one node, and after her acknowledgement Bob through another one,
 * who replaces her value or removes it. His write is the later one for whoever has a watch, and has to win. Nodes that disagree on the time let
 * hers win: then `WRITETIME` has her timestamp, and of his, which nobody can read any more, what he wrote beside it under the same one.
 */
export class Contests {
  readonly #table: ProbeTable;
  readonly #pairs: readonly (readonly [Coordinator, Coordinator])[];
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  /** Keys that say the timestamp of a second write, by the key that is fought over. */
  readonly witnesses = new Map<string, string>();

  /** Each impacted node beside one that is not; where all are, beside another one. */
  constructor(
    { impacted, others }: { impacted: readonly Coordinator[]; others: readonly Coordinator[] },
    { table, ledger, clock }: { table: ProbeTable; ledger: Ledger; clock: Clock },
  ) {
    this.#table = table;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#pairs = impacted.flatMap((node, index) => {
      const rivals = others.length > 0 ? others : impacted.filter((other) => other !== node);
      const rival = rivals[index % rivals.length];
      // A clock may be ahead or behind: both ways.
      return rival ? [[node, rival] as const, [rival, node] as const] : [];
    });
  }

  /** Until it is stopped. Never rejects: who is not answered has no part in the account. */
  async run(prefix: string, stop: AbortSignal): Promise<void> {
    for (let number = 0; !stop.aborted && this.#pairs.length > 0; number += 1) {
      const startedMs = this.#clock.monotonicMs();
      await this.#fight(`${prefix}:contest:${number}`, number);
      const restMs = Math.max(1, INTERVAL_MS - (this.#clock.monotonicMs() - startedMs));
      await this.#clock.sleep(restMs, stop).catch(() => undefined);
    }
  }

  async #fight(key: string, number: number): Promise<void> {
    const [first, second] = this.#pairs[number % this.#pairs.length] ?? [];
    if (!first || !second) return;
    const isRemoval = Math.floor(number / this.#pairs.length) % 2 === 1;
    const witness = `${key}:witness`;
    this.witnesses.set(key, witness);
    try {
      await this.#write(first, { key, value: 'alice' });
      await this.#write(second, { key, value: isRemoval ? null : 'bob' }, [{ key: witness, value: 'bob' }]);
      await this.#ledger.read(key, async () => (await this.#table.read(second.client, key))?.value ?? null);
    } catch {
      // The account knows what was sent, and that nobody acknowledged it.
    }
  }

  /** @throws Error of the driver: it was not acknowledged */
  async #write({ name, client }: Coordinator, change: Change, beside: readonly Change[] = []): Promise<void> {
    const { acknowledge } = this.#ledger.send({ ...change, through: name });
    await this.#table.writeTogether(client, [change, ...beside]);
    acknowledge();
  }
}
