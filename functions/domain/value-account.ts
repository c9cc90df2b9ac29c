/**
 * What became of every write that was acknowledged by a store which keeps one value a key, the one with the latest timestamp.
 * A removal is a write too. Every value of a key is another one, so that a read says whose it is.
 *
 * A write is *earlier* than another one that was sent after its acknowledgement. Writes that were under way at the same time
 * have no order: what a read shows of them is never wrong. Nor is what a write left that nobody acknowledged.
 *
 * By the last read of its key, an acknowledged write that no later acknowledged one has replaced is
 * - *overwritten*: an earlier write is read in its place, and has a timestamp that is no older: a clock was wrong;
 * - *resurrected*: the value that it had removed, or that it was seen to have replaced, is back;
 * - *lost* without a known reason: what it wrote is not there.
 *
 * All three are lost to whoever wrote them. Of the others, one is *stale* when a read that began after its
 * acknowledgement showed something earlier.
 */

/** Times in milliseconds of one monotonic clock. */
export interface SentValue {
  key: string;
  /** null: a removal. */
  value: string | null;
  sentAtMs: number;
  /** Absent: no acknowledgement came. It counts however late it was. */
  acknowledgedAtMs?: number;
  /** What the store keeps it under, in microseconds since the epoch; absent: not known. */
  timestampUs?: number;
  /** The node that was asked, where it was one. */
  through?: string;
}

/** One read of a key. */
export interface SeenValue {
  key: string;
  startedAtMs: number;
  /** When it was answered. */
  endedAtMs: number;
  /** null: the key has none. */
  value: string | null;
}

export interface ValueExample {
  key: string;
  /** Absent: a removal. */
  value?: string;
  through?: string;
  acknowledgedAt: string;
  timestampUs?: number;
  /** The write that is read instead; absent: none of ours. */
  instead?: Omit<ValueExample, 'key' | 'acknowledgedAt' | 'instead'> & { acknowledgedAt?: string };
}

/** Why a write is not there, in the order in which a reason counts. */
export const LOSSES = ['overwritten', 'resurrected', 'lost'] as const;
export const VALUE_FATES = [...LOSSES, 'stale'] as const;
type Fate = (typeof VALUE_FATES)[number];

export interface ValueAccount {
  acknowledged: number;
  /** All that are not there: also those that were overwritten or whose value was resurrected. */
  lost: number;
  /** From the acknowledgement of the first lost write to that of the last; absent when none is. */
  lossSpanSeconds?: number;
  overwritten: number;
  resurrected: number;
  stale: number;
  /** Reads that showed something earlier than what had been acknowledged before they began. */
  staleReads: number;
  /** Node → writes that it was asked for alone, and did not acknowledge; nodes that acknowledged all are left out. */
  unacknowledgedThrough: Readonly<Record<string, number>>;
  /** The first of each; those of `lost` have no known reason. */
  examples: Record<Fate, ValueExample[]>;
}

export const MAX_VALUE_EXAMPLES = 10;

type Acknowledged = SentValue & Required<Pick<SentValue, 'acknowledgedAtMs'>>;
interface Judged {
  write: Acknowledged;
  fate: Fate;
  instead: SentValue | undefined;
}

/**
 * @param seen reads of these keys while they were written
 * @param last what each key has at the end, null for nothing
 * @param epochOffsetMs milliseconds since the epoch when the monotonic clock said 0
 * @throws Error for a key that was not read at the end: it is neither there nor lost
 */
export function accountOfValues(
  sent: readonly SentValue[],
  seen: readonly SeenValue[],
  last: ReadonlyMap<string, string | null>,
  epochOffsetMs: number,
): ValueAccount {
  const reads = Map.groupBy(seen, ({ key }) => key);
  const judged: Judged[] = [];
  let staleReads = 0;
  for (const [key, writes] of Map.groupBy(sent, ({ key }) => key)) {
    const found = last.get(key);
    if (found === undefined) throw new Error(`key ${key}: was not read back`);
    const own = judgeKey(writes, reads.get(key) ?? [], found);
    staleReads += own.staleReads;
    judged.push(...own.judged);
  }
  judged.sort((one, other) => one.write.acknowledgedAtMs - other.write.acknowledgedAtMs);
  const of = (fate: Fate) => judged.filter((each) => each.fate === fate);
  const lost = judged.filter(({ fate }) => fate !== 'stale');
  const [first, final] = [lost[0], lost.at(-1)];
  const examplesOf = (fate: Fate) =>
    of(fate)
      .slice(0, MAX_VALUE_EXAMPLES)
      .map((each) => exampleOf(each, epochOffsetMs));
  return {
    acknowledged: sent.filter(isAcknowledged).length,
    lost: lost.length,
    ...(first && final
      ? { lossSpanSeconds: Math.round(final.write.acknowledgedAtMs - first.write.acknowledgedAtMs) / 1000 }
      : {}),
    overwritten: of('overwritten').length,
    resurrected: of('resurrected').length,
    stale: of('stale').length,
    staleReads,
    unacknowledgedThrough: unacknowledgedThrough(sent),
    examples: {
      overwritten: examplesOf('overwritten'),
      resurrected: examplesOf('resurrected'),
      lost: examplesOf('lost'),
      stale: examplesOf('stale'),
    },
  };
}

/** Of one key. Those that are well are left out. */
function judgeKey(
  writes: readonly SentValue[],
  seen: readonly SeenValue[],
  last: string | null,
): { judged: Judged[]; staleReads: number } {
  const acknowledged = writes.filter(isAcknowledged);
  const stale = new Map<Acknowledged, SentValue | undefined>();
  let staleReads = 0;
  for (const { startedAtMs, endedAtMs, value } of seen) {
    const promised = acknowledged.filter((write) => write.acknowledgedAtMs < startedAtMs);
    // A later removal is no reason to find nothing.
    const sentByThen = writes.filter(({ sentAtMs }) => sentAtMs <= endedAtMs);
    const hidden = promised.filter((write) => !mayShow(value, write, sentByThen));
    if (hidden.length === 0) continue;
    staleReads += 1;
    const latest = hidden.reduce((one, other) => (other.acknowledgedAtMs > one.acknowledgedAtMs ? other : one));
    if (!stale.has(latest)) stale.set(latest, shownBy(value, latest, writes));
  }
  const judged = acknowledged.flatMap((write): Judged[] => {
    const isReplaced = acknowledged.some((other) => isEarlier(write, other));
    if (!isReplaced && !mayShow(last, write, writes)) {
      const instead = shownBy(last, write, writes);
      return [{ write, fate: lossOf(write, instead, seen), instead }];
    }
    return stale.has(write) ? [{ write, fate: 'stale', instead: stale.get(write) }] : [];
  });
  return { judged, staleReads };
}

function unacknowledgedThrough(sent: readonly SentValue[]): Record<string, number> {
  const nodes = sent.flatMap((write) => (write.through !== undefined && !isAcknowledged(write) ? [write.through] : []));
  return Object.fromEntries([...Map.groupBy(nodes, (node) => node)].map(([node, own]) => [node, own.length]));
}

function isAcknowledged(write: SentValue): write is Acknowledged {
  return write.acknowledgedAtMs !== undefined;
}

function isEarlier(one: SentValue, other: SentValue): boolean {
  return one.acknowledgedAtMs !== undefined && one.acknowledgedAtMs < other.sentAtMs;
}

/** Whether a read of this value may follow the acknowledgement of that write. */
function mayShow(value: string | null, write: SentValue, writes: readonly SentValue[]): boolean {
  return writes.some((each) => each.value === value && !isEarlier(each, write));
}

/** Of several earlier removals the one with the latest timestamp. */
function shownBy(value: string | null, write: SentValue, writes: readonly SentValue[]): SentValue | undefined {
  const same = writes.filter((each) => each.value === value && isEarlier(each, write));
  const timeOf = ({ timestampUs = -1 }: SentValue) => timestampUs;
  return same.reduce<SentValue | undefined>(
    (latest, each) => (latest && timeOf(latest) > timeOf(each) ? latest : each),
    undefined,
  );
}

function lossOf(write: SentValue, instead: SentValue | undefined, seen: readonly SeenValue[]): (typeof LOSSES)[number] {
  if (instead === undefined) return 'lost';
  if (instead.timestampUs !== undefined && write.timestampUs !== undefined && instead.timestampUs >= write.timestampUs)
    return 'overwritten';
  if (instead.value === null) return 'lost';
  const wasSeen = seen.some(({ value }) => value === write.value);
  return write.value === null || wasSeen ? 'resurrected' : 'lost';
}

function exampleOf({ write, instead }: Judged, epochOffsetMs: number): ValueExample {
  const iso = (atMs: number) => new Date(atMs + epochOffsetMs).toISOString();
  const said = ({ value, through, timestampUs }: SentValue) => ({
    ...(value === null ? {} : { value }),
    ...(through === undefined ? {} : { through }),
    ...(timestampUs === undefined ? {} : { timestampUs }),
  });
  return {
    ...{ key: write.key, ...said(write), acknowledgedAt: iso(write.acknowledgedAtMs) },
    ...(instead
      ? {
          instead: {
            ...said(instead),
            ...(instead.acknowledgedAtMs === undefined ? {} : { acknowledgedAt: iso(instead.acknowledgedAtMs) }),
          },
        }
      : {}),
  };
}
