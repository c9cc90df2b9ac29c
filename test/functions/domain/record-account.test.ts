import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountOf, MAX_RECORD_EXAMPLES, type SentRecord } from '../../../functions/domain/record-account.ts';
import { EPOCH_MS, iso } from './fixtures.ts';

/** Record `n` is sent at `n` s, acknowledged `ackedAfterMs` later with offset `n`. */
const sentAt = (n: number, ackedAfterMs: number | undefined = 10, offset = n, term = '1'): SentRecord => ({
  ...{ key: `k${n}`, sentAtMs: n * 1000 },
  ...(ackedAfterMs === undefined ? {} : { acknowledged: { atMs: n * 1000 + ackedAfterMs, offset, term } }),
});
const unacknowledged = (n: number): SentRecord => ({ key: `k${n}`, sentAtMs: n * 1000 });
/** Offsets by the number of the record. */
const log = (offsets: Record<number, number[]>) => new Map(Object.entries(offsets).map(([n, at]) => [`k${n}`, at]));
const of = (sent: SentRecord[], offsets: Record<number, number[]>) => accountOf(sent, log(offsets), EPOCH_MS);
const keysOf = (examples: readonly { key: string }[]) => examples.map(({ key }) => key);

describe('the account of records', () => {
  it('finds nothing wrong with a log that has each record once, in order', () => {
    expect(of([sentAt(0), sentAt(1), sentAt(2)], { 0: [0], 1: [1], 2: [2] })).toEqual({
      ...{ acknowledged: 3, lost: 0, duplicated: 0, reordered: 0, repeatedOffsets: 0 },
      examples: { lost: [], duplicated: [], reordered: [], repeatedOffsets: [] },
    });
  });

  it('calls an acknowledged record lost that is not there, with an example, and says over how long they were acknowledged', () => {
    const account = of([sentAt(0), sentAt(1), sentAt(2), sentAt(3), unacknowledged(4)], { 0: [0], 2: [2] });
    expect(account).toMatchObject({ acknowledged: 4, lost: 2, lossSpanSeconds: 2, duplicated: 0, reordered: 0 });
    expect(account.examples.lost).toEqual([
      { key: 'k1', offset: 1, acknowledgedAt: iso(1.01) },
      { key: 'k3', offset: 3, acknowledgedAt: iso(3.01) },
    ]);
  });

  it('counts an acknowledgement that came after its client had given up', () => {
    expect(of([sentAt(0, 30_000), sentAt(1)], { 1: [1] })).toMatchObject({ acknowledged: 2, lost: 1 });
  });

  it('calls a record duplicated that is there twice', () => {
    const account = of([sentAt(0), sentAt(1)], { 0: [0, 2], 1: [1] });
    expect(account).toMatchObject({ lost: 0, duplicated: 1, reordered: 0 });
    expect(keysOf(account.examples.duplicated)).toEqual(['k0']);
  });

  it('calls a record reordered that stands before one which was acknowledged before it was sent', () => {
    const account = of([sentAt(0), sentAt(1), sentAt(2)], { 0: [0], 1: [2], 2: [1] });
    expect(account).toMatchObject({ lost: 0, duplicated: 0, reordered: 1 });
    expect(keysOf(account.examples.reordered)).toEqual(['k2']);
  });

  it('never calls reordered what its client sent while another one was under way', () => {
    const [one, other] = [sentAt(0, 1500), sentAt(1, 100)];
    expect(of([one, other], { 0: [1], 1: [0] })).toMatchObject({ reordered: 0 });
    expect(of([sentAt(0, 1000), sentAt(1)], { 0: [1], 1: [0] })).toMatchObject({ reordered: 0 });
    expect(of([sentAt(0, 999), sentAt(1)], { 0: [1], 1: [0] })).toMatchObject({ reordered: 1 });
  });

  it('blames the client for two acknowledgements of one term with one offset, and says no more that nothing was lost', () => {
    const account = of([sentAt(0), sentAt(1, 10, 0), sentAt(2)], { 0: [0], 2: [2] });
    expect(account).toMatchObject({ acknowledged: 3, repeatedOffsets: 1 });
    expect(account).not.toHaveProperty('lost');
    expect(keysOf(account.examples.repeatedOffsets)).toEqual(['k1']);
    expect(of([sentAt(0, 10, 1), sentAt(1)], { 0: [0], 1: [1] })).toMatchObject({ lost: 0, repeatedOffsets: 1 });
  });

  it('blames the store for one offset in two terms: the log was cut and written anew', () => {
    const account = of([sentAt(0), sentAt(1), sentAt(2, 10, 1, '2')], { 0: [0], 2: [1] });
    expect(account).toMatchObject({ lost: 1, repeatedOffsets: 0 });
  });

  it('counts all, and shows the first ten', () => {
    const sent = Array.from({ length: 50 }, (_, n) => sentAt(n));
    const account = of(sent, {});
    expect(account.lost).toBe(50);
    expect(keysOf(account.examples.lost)).toEqual(sent.slice(0, MAX_RECORD_EXAMPLES).map(({ key }) => key));
  });
});

/** What an honest log does with records that are sent and appended at any times, the answer last. */
const honest = fc
  .array(fc.tuple(fc.nat(2000), fc.nat(1000), fc.nat(1000), fc.boolean()), { maxLength: 60 })
  .map((times) => {
    const appended = times
      .map(([sentAtMs, travelMs, backMs, isAnswered], n) => ({
        ...{ key: `k${n}`, sentAtMs, appendedMs: sentAtMs + travelMs, answeredMs: sentAtMs + travelMs + backMs },
        isAnswered,
      }))
      .sort((one, other) => one.appendedMs - other.appendedMs);
    const sent = appended.map(({ key, sentAtMs, answeredMs, isAnswered }, offset): SentRecord => {
      return { key, sentAtMs, ...(isAnswered ? { acknowledged: { atMs: answeredMs, offset, term: '1' } } : {}) };
    });
    return { sent, found: new Map(appended.map(({ key }, offset) => [key, [offset]])) };
  });

describe('the account of any records', () => {
  it('finds nothing wrong with any honest log, however concurrent its client was', () => {
    fc.assert(
      fc.property(honest, ({ sent, found }) => {
        const acknowledged = sent.filter((record) => record.acknowledged).length;
        expect(accountOf(sent, found, 0)).toMatchObject({
          ...{ acknowledged, lost: 0, duplicated: 0, reordered: 0, repeatedOffsets: 0 },
        });
      }),
    );
  });

  it('counts as lost exactly what was taken away, and as duplicated what was put in twice', () => {
    const taken = fc.tuple(honest, fc.infiniteStream(fc.constantFrom('keep', 'lose', 'double')));
    fc.assert(
      fc.property(taken, ([{ sent, found }, fates]) => {
        const counts = { keep: 0, lose: 0, double: 0 };
        for (const { key, acknowledged } of sent) {
          const fate = fates.next().value as keyof typeof counts;
          const [at = 0] = found.get(key) ?? [];
          if (fate === 'lose') found.delete(key);
          if (fate === 'double') found.set(key, [at, sent.length + at]);
          if (acknowledged) counts[fate] += 1;
        }
        const account = accountOf(sent, found, 0);
        expect(account).toMatchObject({ lost: counts.lose, duplicated: counts.double, reordered: 0 });
      }),
    );
  });

  it('agrees with the definition of reordered, record by record', () => {
    const shuffled = fc.tuple(honest, fc.infiniteStream(fc.nat()));
    fc.assert(
      fc.property(shuffled, ([{ sent }, ranks]) => {
        const order = sent.map(({ key }) => ({ key, rank: Number(ranks.next().value) }));
        order.sort((one, other) => one.rank - other.rank);
        const found = new Map(order.map(({ key }, offset) => [key, [offset]]));
        const at = ({ key }: SentRecord) => found.get(key)?.[0] ?? Number.NaN;
        const answered = sent.filter((record) => record.acknowledged);
        const isReordered = (record: SentRecord) =>
          answered.some((other) => (other.acknowledged?.atMs ?? Infinity) < record.sentAtMs && at(other) > at(record));
        expect(accountOf(sent, found, 0).reordered).toBe(answered.filter(isReordered).length);
      }),
    );
  });
});
