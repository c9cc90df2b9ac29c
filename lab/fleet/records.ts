import type { StoreKeys } from './engine.ts';

/** What applications do with an engine that keeps records in partitions, beside what the gateway asks of a shard. */

/** Gateways and ingest write orders; the workers take them and write a receipt for each. */
export type Topic = 'orders' | 'receipts';

export interface NewRecord {
  key: string;
  value: string;
}

export interface TakenRecord extends NewRecord {
  /** Of this one attempt to produce it. */
  id: string;
  /** By the clock of who produced it. Epoch milliseconds. */
  producedAtMs: number;
  partition: number;
  offset: bigint;
}

export interface RecordProducer {
  /** It may produce to partition 0 up to this one, exclusive. */
  partitions: number;
  /**
   * Resolves when every copy that is in sync has the records. A rejection does not say that they were not written.
   * @param signal of who gives them up: what has not been sent by then is not sent.
   * @returns the name of the node that took them, where that is known
   */
  produce(partition: number, records: readonly NewRecord[], signal?: AbortSignal): Promise<string | undefined>;
}

/** Which records of a partition need not be taken again: those below `offset`. */
export interface Position {
  partition: number;
  offset: bigint;
}

export interface GroupMember {
  /**
   * What its partitions hold, from the last commit on, for as long as this process lives. Who does not take the next one
   * holds up all that follow: no more is read ahead than one answer of each node.
   */
  records: AsyncIterable<TakenRecord>;
  /** @throws Error when it was not taken, after a rebalance for instance. */
  commit(positions: readonly Position[]): Promise<void>;
}

export interface GroupEvents {
  /** The group is rebalancing: what is assigned now is given up. */
  onRebalance(): void;
  onAssigned(assigned: { generation: number; partitions: readonly number[] }): void;
}

export interface RecordClients {
  connectProducer(topic: Topic, keys: StoreKeys): Promise<RecordProducer>;
  /** Joins the group that takes orders. @param name of this member, for the engine's own log. */
  joinWorkers(name: string, keys: StoreKeys, events: GroupEvents): Promise<GroupMember>;
}
