import { BrokerRefusal } from './connection.ts';
import { endOffset, fetch } from './fetch.ts';
import { Leader, type LeaderLink } from './leader-link.ts';
import type { Partition, PartitionSource } from './partition-source.ts';

/** For a record to come: then the broker answers without. */
const MAX_WAIT_MS = 500;
const LIMITS = { requestTimeoutMs: MAX_WAIT_MS + 1000, maxInFlight: 1 };
const RETRY_MS = 100;

/** A consumer of one partition, from its end on, over a connection of its own. It keeps its leader until a fetch fails. */
export class RecordConsumer {
  readonly #partition: Partition;
  readonly #leader: Leader;
  readonly #consume: (key: string, value: string) => void;
  #offset = 0;
  #isClosed = false;

  /** @param consume told of each record, once, in the order of the log */
  constructor(partition: Partition, source: PartitionSource, consume: (key: string, value: string) => void) {
    this.#partition = partition;
    this.#leader = new Leader(partition, source, LIMITS);
    this.#consume = consume;
  }

  /** @returns the offset from which on it consumes */
  async connect(): Promise<number> {
    this.#leader.link = await this.#leader.find();
    this.#offset = await endOffset(this.#leader.link, this.#partition);
    void this.#run();
    return this.#offset;
  }

  close(): void {
    this.#isClosed = true;
    this.#leader.close();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const { link } = this.#leader;
      if (link) await this.#step(link);
      else await this.#partition.clock.sleep(RETRY_MS);
    }
  }

  async #step(link: LeaderLink): Promise<void> {
    try {
      const epoch = link.look.leaderEpoch;
      const at = { offset: this.#offset, epoch, maxWaitMs: MAX_WAIT_MS };
      const { records, nextOffset } = await fetch(link, this.#partition, link.look, at);
      for (const { key, value } of records) this.#consume(key, value);
      this.#offset = nextOffset;
    } catch (error) {
      if (this.#isClosed) return;
      await this.#leader.replace(link, error instanceof BrokerRefusal, ({ hangUp }) => hangUp());
      if (error instanceof BrokerRefusal && error.codes.includes('OFFSET_OUT_OF_RANGE')) await this.#goToEnd();
      else if (this.#leader.link === link) await this.#partition.clock.sleep(RETRY_MS);
    }
  }

  /** The log was cut below what it had consumed. */
  async #goToEnd(): Promise<void> {
    const { link } = this.#leader;
    if (link) this.#offset = await endOffset(link, this.#partition).catch(() => this.#offset);
  }
}
