/**
 * What became of every record that a log acknowledged to one client. Each was sent once, in a request of its own.
 *
 * - *lost*: the log does not have it.
 * - *duplicated*: the log has it more than once.
 * - *reordered*: it stands in the log before a record that had been acknowledged before this one was sent. Records that
 *   were under way at the same time have no order, so what a client does at once is never called reordering.
 * - ok: none of these. Of several the first in this list counts.
 *
 * A log gives an offset once for as long as one node leads it: two acknowledgements of one *term* with the same offset are
 * the fault of the client's library, not of the store.
 */

/** Times in milliseconds of one monotonic clock. */
export interface SentRecord {
  key: string;
  sentAtMs: number;
  /** Absent: none came. It counts however late it was. */
  acknowledged?: {
    atMs: number;
    offset: number;
    /** Who led the log, and since when, as the client knew it: another one for each time that a leader begins to lead. */
    term: string;
  };
}

export interface RecordExample {
  key: string;
  /** As it was acknowledged. */
  offset: number;
  acknowledgedAt: string;
}

export interface RecordAccount {
  acknowledged: number;
  /** Absent when nobody knows: no other is missing than some that the client's library has acknowledged wrongly. */
  lost?: number;
  /** From the acknowledgement of the first lost record to that of the last; absent when none is. */
  lossSpanSeconds?: number;
  duplicated: number;
  reordered: number;
  /** Acknowledged with an offset that was another record's. */
  repeatedOffsets: number;
  /** The first of each. */
  examples: Record<'lost' | 'duplicated' | 'reordered' | 'repeatedOffsets', RecordExample[]>;
}

export const MAX_RECORD_EXAMPLES = 10;

type Acknowledged = SentRecord & Required<Pick<SentRecord, 'acknowledged'>>;

/**
 * @param found offsets at which the log has a record, ascending, by its key; a key that is absent is not in the log
 * @param epochOffsetMs milliseconds since the epoch when the monotonic clock said 0
 */
export function accountOf(
  sent: readonly SentRecord[],
  found: ReadonlyMap<string, readonly number[]>,
  epochOffsetMs: number,
): RecordAccount {
  const acknowledged = sent
    .filter((record): record is Acknowledged => record.acknowledged !== undefined)
    .sort((one, other) => one.acknowledged.atMs - other.acknowledged.atMs);
  const offsetsOf = ({ key }: SentRecord) => found.get(key) ?? [];
  const repeated = repeatedOffsets(acknowledged, offsetsOf);
  const isMissing = (record: SentRecord) => offsetsOf(record).length === 0;
  const lost = acknowledged.filter((record) => isMissing(record) && !repeated.has(record));
  const duplicated = acknowledged.filter((record) => offsetsOf(record).length > 1);
  const early = standBeforeAcknowledged(acknowledged, offsetsOf);
  const reordered = acknowledged.filter((record) => early.has(record) && offsetsOf(record).length === 1);
  const mayHideLoss = lost.length === 0 && [...repeated].some(isMissing);
  const [first, last] = [lost[0], lost.at(-1)];
  const examplesOf = (records: readonly Acknowledged[]) =>
    records.slice(0, MAX_RECORD_EXAMPLES).map(({ key, acknowledged: { offset, atMs } }) => ({
      ...{ key, offset },
      acknowledgedAt: new Date(atMs + epochOffsetMs).toISOString(),
    }));
  return {
    acknowledged: acknowledged.length,
    ...(mayHideLoss ? {} : { lost: lost.length }),
    ...(first && last ? { lossSpanSeconds: Math.round(last.acknowledged.atMs - first.acknowledged.atMs) / 1000 } : {}),
    duplicated: duplicated.length,
    reordered: reordered.length,
    repeatedOffsets: repeated.size,
    examples: {
      lost: examplesOf(lost),
      duplicated: examplesOf(duplicated),
      reordered: examplesOf(reordered),
      repeatedOffsets: examplesOf([...repeated]),
    },
  };
}

type OffsetsOf = (record: SentRecord) => readonly number[];

/** Of those with one offset in one term all but the one whose it is, by the log, else by who was first. */
function repeatedOffsets(acknowledged: readonly Acknowledged[], offsetsOf: OffsetsOf): Set<Acknowledged> {
  const byOffset = Map.groupBy(acknowledged, ({ acknowledged: { term, offset } }) => `${offset} ${term}`);
  return new Set(
    [...byOffset.values()].flatMap((same) => {
      const owner = same.find((record) => offsetsOf(record).includes(record.acknowledged.offset)) ?? same[0];
      return same.filter((record) => record !== owner);
    }),
  );
}

/** @param acknowledged in the order of their acknowledgements */
function standBeforeAcknowledged(acknowledged: readonly Acknowledged[], offsetsOf: OffsetsOf): Set<Acknowledged> {
  const bySending = [...acknowledged].sort((one, other) => one.sentAtMs - other.sentAtMs);
  let [next, highest] = [0, -1];
  return new Set(
    bySending.filter((record) => {
      for (let before = acknowledged[next]; before && before.acknowledged.atMs < record.sentAtMs; ) {
        highest = Math.max(highest, offsetsOf(before)[0] ?? -1);
        before = acknowledged[++next];
      }
      return (offsetsOf(record)[0] ?? Number.POSITIVE_INFINITY) < highest;
    }),
  );
}
