import { fetchV13, listOffsetsV7 } from '@platformatic/kafka';
import type { LeaderLink } from './leader-link.ts';
import type { Look } from './leadership.ts';
import type { Partition } from './partition-source.ts';

/** For all partitions, and for the only one. Bytes. */
const MAX_FETCH_BYTES = 1 << 20;
/** No epoch is asked for: a follower answers too. */
export const ANY_EPOCH = -1;
/** The end of what consumers may read. */
const LATEST = -1n;
const NO_SESSION = { id: 0, epoch: -1 };

export interface ReadRecord {
  key: string;
  value: string;
  offset: number;
}

export interface Fetched {
  records: ReadRecord[];
  /** Of the record behind the last one. */
  nextOffset: number;
  /** Older records are gone. */
  logStartOffset: number;
}

/**
 * Records that consumers may read, from an offset on.
 * @param epoch of the leader that is meant: another one refuses
 * @param maxWaitMs for one to come
 * @throws Error of the broker or of the connection
 */
export async function fetch(
  { ask }: Pick<LeaderLink, 'ask'>,
  { partition }: Pick<Partition, 'partition'>,
  { topicId }: Pick<Look, 'topicId'>,
  { offset, epoch, maxWaitMs }: { offset: number; epoch: number; maxWaitMs: number },
): Promise<Fetched> {
  const own = { partition, currentLeaderEpoch: epoch, fetchOffset: BigInt(offset), lastFetchedEpoch: -1 };
  const topics: fetchV13.FetchRequestTopic[] = [
    { topicId, partitions: [{ ...own, partitionMaxBytes: MAX_FETCH_BYTES }] },
  ];
  const session = [NO_SESSION.id, NO_SESSION.epoch] as const;
  const { responses } = await ask(fetchV13.api, maxWaitMs, 1, MAX_FETCH_BYTES, 0, ...session, topics, [], '');
  const answer = responses[0]?.partitions[0];
  if (!answer) throw new Error('the answer to a fetch says nothing of its partition');
  const batches = answer.records ?? [];
  // A batch may begin before the offset that was asked for.
  const records = batches
    .flatMap((batch) =>
      batch.records.map((record) => ({
        ...{ key: String(record.key ?? ''), value: String(record.value ?? '') },
        offset: Number(batch.firstOffset) + record.offsetDelta,
      })),
    )
    .filter((record) => record.offset >= offset);
  const last = batches.at(-1);
  const nextOffset = last ? Math.max(offset, Number(last.firstOffset) + last.lastOffsetDelta + 1) : offset;
  return { records, nextOffset, logStartOffset: Number(answer.logStartOffset) };
}

/** Where the next record that consumers may read will stand. @throws Error of the broker or of the connection */
export async function endOffset(
  { ask, look }: Pick<LeaderLink, 'ask' | 'look'>,
  { topic, partition }: Pick<Partition, 'topic' | 'partition'>,
): Promise<number> {
  const own = { partitionIndex: partition, currentLeaderEpoch: look.leaderEpoch, timestamp: LATEST };
  const { topics } = await ask(listOffsetsV7.api, -1, 0, [{ name: topic, partitions: [own] }]);
  const found = topics[0]?.partitions[0];
  if (!found) throw new Error(`${topic}: the answer says nothing of the end of its partition`);
  return Number(found.offset);
}
