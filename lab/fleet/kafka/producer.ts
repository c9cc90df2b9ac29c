import { randomUUID } from 'node:crypto';
import { ProduceAcks } from '@platformatic/kafka';
import type { NewRecord, RecordProducer } from '../records.ts';
import { inBatches } from './batches.ts';
import { type ClusterAccess, newProducer } from './clients.ts';

/** Beside each record. */
export const HEADERS = { id: 'id', producedAtMs: 'produced-at-ms' } as const;

export interface TopicAccess extends ClusterAccess {
  topic: string;
  partitions: number;
  /** The lab's name of the broker that announces itself so. */
  nodeAnnouncedAs(host: string): string;
}

/**
 * A producer as an application would configure it: every copy in sync has what it says it has written. It is connected to
 * every broker that answers, so that the first record is no slower than the others.
 */
export async function connectProducer(options: TopicAccess): Promise<RecordProducer> {
  const { topic, partitions, nodeAnnouncedAs, ...access } = options;
  const producer = newProducer(access);
  await producer.connectToBrokers().catch(() => undefined);

  const produce = inBatches(async (partition, records: readonly ReturnType<typeof stamped>[]) => {
    const messages = records.map((record) => ({ ...record, topic, partition }));
    await producer.send({ messages, acks: ProduceAcks.ALL });
    return leaderOf(partition);
  });

  /** By what the client knew when it was answered. */
  function leaderOf(partition: number): string | undefined {
    const { topics, brokers } = producer.currentMetadata ?? {};
    const leader = topics?.get(topic)?.partitions[partition]?.leader;
    const broker = leader === undefined ? undefined : brokers?.get(leader);
    return broker && nodeAnnouncedAs(broker.host);
  }

  return { partitions, produce: (partition, records, signal) => produce(partition, records.map(stamped), signal) };
}

function stamped(record: NewRecord) {
  return { ...record, headers: { [HEADERS.id]: randomUUID(), [HEADERS.producedAtMs]: String(Date.now()) } };
}
