import { produceV9 } from '@platformatic/kafka';
import type { SentRecord } from '../../domain/record-account.ts';
import { withDeadline } from '../../domain/with-deadline.ts';
import { BrokerRefusal } from './connection.ts';
import { Leader, type LeaderLink } from './leader-link.ts';
import type { Partition, PartitionSource } from './partition-source.ts';

/** As the broker is told too: after that a write has failed for its client. */
export const WRITE_DEADLINE_MS = 1000;
/** An acknowledgement that comes later than that nobody waits for any more; longer than any run. */
const LATEST_ACKNOWLEDGEMENT_MS = 900_000;
const LIMITS = { requestTimeoutMs: LATEST_ACKNOWLEDGEMENT_MS, maxInFlight: 1 };
/** Connections that were given up, and on which a late acknowledgement may come. */
const MAX_RETIRED = 32;

export interface WrittenRecord extends SentRecord {
  value: string;
}

/** A record whose turn has not come. */
interface Waiting {
  record: WrittenRecord;
  settle(error?: unknown): void;
}

/**
 * A producer without idempotence, so with one request at a time: a broker answers one of a connection after the other, and what
 * comes meanwhile goes together in the next. Each record is sent once, to the leader that is known, or never.
 */
export class RecordWriter {
  /** Everything that was sent, in its order. */
  readonly sent = new Map<string, WrittenRecord>();
  readonly #partition: Partition;
  readonly #leader: Leader;
  /** Who must have a record: -1 every replica in sync, 1 the leader alone. */
  readonly #acks: number;
  readonly #underWay = new Set<LeaderLink>();
  readonly #waiting = new Map<LeaderLink, Waiting[]>();
  readonly #retired = new Set<LeaderLink>();

  constructor(partition: Partition, source: PartitionSource, acks: number) {
    this.#partition = partition;
    this.#leader = new Leader(partition, source, LIMITS);
    this.#acks = acks;
  }

  async connect(): Promise<void> {
    this.#leader.link = await this.#leader.find();
  }

  /** Whether it was acknowledged in time. Without a leader nothing is sent. */
  async write(key: string, value: string): Promise<boolean> {
    const { link } = this.#leader;
    if (!link) return false;
    const { clock } = this.#partition;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error));
    const record = { key, value, sentAtMs: Number.NaN };
    this.#waiting.set(link, [...(this.#waiting.get(link) ?? []), { record, settle }]);
    void this.#sendNext(link);
    try {
      await withDeadline(promise, clock, WRITE_DEADLINE_MS);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    this.#leader.close();
    for (const link of this.#retired) link.hangUp();
  }

  /** All that wait, unless some are under way. */
  async #sendNext(link: LeaderLink): Promise<void> {
    if (this.#underWay.has(link)) return;
    const { clock } = this.#partition;
    const batch = this.#waiting.get(link) ?? [];
    this.#waiting.delete(link);
    if (batch.length === 0) return;
    this.#underWay.add(link);
    const records = batch.map(({ record }) => record);
    for (const record of records) {
      record.sentAtMs = clock.monotonicMs();
      this.sent.set(record.key, record);
    }
    const answered = produce(link, this.#partition, records, this.#acks);
    // A record that had to wait may be late although the leader is well: it is the request that says.
    void withDeadline(answered, clock, WRITE_DEADLINE_MS).catch((error: unknown) =>
      this.#leader.replace(link, error instanceof BrokerRefusal, (failed) => this.#retire(failed)),
    );
    try {
      const firstOffset = await answered;
      const atMs = clock.monotonicMs();
      for (const [index, { record, settle }] of batch.entries()) {
        record.acknowledged = { atMs, offset: firstOffset + index, term: link.term };
        settle();
      }
    } catch (error) {
      for (const { settle } of batch) settle(error);
    }
    this.#underWay.delete(link);
    if (this.#retired.has(link)) this.#hangUp(link);
    else void this.#sendNext(link);
  }

  /** What was sent may still be acknowledged, so the connection stays open for that; what waits is not sent any more. */
  #retire(link: LeaderLink): void {
    this.#retired.add(link);
    if (!this.#underWay.has(link)) this.#hangUp(link);
    const [oldest] = this.#retired;
    if (oldest && this.#retired.size > MAX_RETIRED) this.#hangUp(oldest);
  }

  #hangUp(link: LeaderLink): void {
    link.hangUp();
    this.#waiting.delete(link);
    this.#retired.delete(link);
    this.#underWay.delete(link);
  }
}

/** @returns the offset of the first; the others have the next ones @throws Error of the broker or of the connection */
export async function produce(
  { ask }: Pick<LeaderLink, 'ask'>,
  { topic, partition }: Pick<Partition, 'topic' | 'partition'>,
  records: readonly Pick<WrittenRecord, 'key' | 'value'>[],
  acks: number,
): Promise<number> {
  const messages = records.map(({ key, value }) => {
    return { topic, partition, key: Buffer.from(key), value: Buffer.from(value) };
  });
  const answer = await ask(produceV9.api, acks, WRITE_DEADLINE_MS, messages);
  const own = typeof answer === 'boolean' ? undefined : answer.responses[0]?.partitionResponses[0];
  if (own === undefined) throw new Error(`${topic}: the answer to a record says nothing of it`);
  return Number(own.baseOffset);
}
