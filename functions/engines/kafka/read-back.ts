import { randomUUID } from 'node:crypto';
import type { SentRecord } from '../../domain/record-account.ts';
import { ANY_EPOCH, fetch } from './fetch.ts';
import { Leader } from './leader-link.ts';
import type { Partition, PartitionSource } from './partition-source.ts';
import { produce } from './record-writer.ts';

const ALL_IN_SYNC = -1;
const READ_WITHIN_MS = 12_000;

/**
 * Offsets of these records in the log of whoever leads now. A last record of ours, which every replica in sync must have
 * acknowledged, marks the end: what stands before it stays.
 * @param fromOffset of the first that may be one of them
 * @throws Error when that could not be read whole: then nobody knows
 */
export async function readBack(
  partition: Partition,
  source: PartitionSource,
  sent: ReadonlyMap<string, Pick<SentRecord, 'key'> & { value: string }>,
  fromOffset: number,
): Promise<Map<string, number[]>> {
  const { clock, topic } = partition;
  const deadlineMs = clock.monotonicMs() + READ_WITHIN_MS;
  const link = await new Leader(partition, source).find();
  try {
    const end = { key: `holdfast:probe:end:${randomUUID()}`, value: '' };
    const endsAt = await produce(link, partition, [end], ALL_IN_SYNC);
    const found = new Map<string, number[]>();
    for (let offset = fromOffset; offset <= endsAt; ) {
      if (clock.monotonicMs() > deadlineMs)
        throw new Error(`${topic}: not read to its end within ${READ_WITHIN_MS} ms`);
      const at = { offset, epoch: ANY_EPOCH, maxWaitMs: 500 };
      const { records, nextOffset, logStartOffset } = await fetch(link, partition, link.look, at);
      if (logStartOffset > fromOffset)
        throw new Error(`${topic}: its retention has removed records of this run, from offset ${fromOffset} on`);
      for (const { key, value, offset: foundAt } of records) {
        if (sent.get(key)?.value !== value) continue;
        found.set(key, [...(found.get(key) ?? []), foundAt]);
      }
      offset = nextOffset;
    }
    return found;
  } finally {
    link.hangUp();
  }
}
