import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accountOfValues,
  MAX_VALUE_EXAMPLES,
  type SeenValue,
  type SentValue,
  type ValueAccount,
} from '../../../functions/domain/value-account.ts';
import { EPOCH_MS, iso } from './fixtures.ts';

/** Sent at `n` s and acknowledged 10 ms later, under a timestamp of that second. */
const write = (n: number, value: string | null, other: Partial<SentValue> = {}): SentValue => ({
  ...{
    key: 'k',
    value,
    sentAtMs: n * 1000,
    acknowledgedAtMs: n * 1000 + 10,
    timestampUs: n * 1_000_000,
    through: 'n1',
  },
  ...other,
});
const unacknowledged = (n: number, value: string | null): SentValue => ({ key: 'k', value, sentAtMs: n * 1000 });
/** Answered after 1 ms. */
const read = (n: number, value: string | null): SeenValue => ({
  ...{ key: 'k', value },
  ...{ startedAtMs: n * 1000, endedAtMs: n * 1000 + 1 },
});
const of = (sent: SentValue[], last: string | null, seen: SeenValue[] = []) =>
  accountOfValues(sent, seen, new Map([['k', last]]), EPOCH_MS);
const countsOf = ({ examples: _, acknowledged: __, ...counts }: ValueAccount) => counts;
const NONE = { lost: 0, overwritten: 0, resurrected: 0, stale: 0, staleReads: 0, unacknowledgedThrough: {} };

describe('the account of values', () => {
  it('finds nothing wrong with a store that has what was last acknowledged', () => {
    expect(of([write(0, 'a'), write(1, 'b')], 'b', [read(0.5, 'a'), read(1.5, 'b')])).toEqual({
      ...{ acknowledged: 2, ...NONE },
      examples: { overwritten: [], resurrected: [], lost: [], stale: [] },
    });
    expect(countsOf(of([write(0, 'a'), write(1, null)], null, [read(1.5, null)]))).toEqual(NONE);
  });

  it('calls an acknowledged write lost that is not there, and says over how long they were acknowledged', () => {
    const other = { ...write(3, 'z'), key: 'l' };
    const account = accountOfValues([write(0, 'a'), other], [], new Map([...of0(), ['l', null]]), EPOCH_MS);
    expect(countsOf(account)).toEqual({ ...NONE, lost: 2, lossSpanSeconds: 3 });
    expect(account.examples.lost[0]).toEqual({
      ...{ key: 'k', value: 'a', through: 'n1', acknowledgedAt: iso(0.01), timestampUs: 0 },
    });
  });
  it('counts for each node what a client of it alone had no acknowledgement of, and no other write', () => {
    const { acknowledgedAtMs: _, ...refused } = write(1, 'b', { through: 'n3' });
    const sent = [write(0, 'a'), refused, { ...refused, value: 'c' }, unacknowledged(2, 'd')];
    expect(countsOf(of(sent, 'a'))).toEqual({ ...NONE, unacknowledgedThrough: { n3: 2 } });
  });

  const of0 = (): [string, string | null][] => [['k', null]];

  it('names the earlier write that has the place of a later one, by a clock that was ahead, with both timestamps', () => {
    const alice = write(0, 'alice', { timestampUs: 1_100_000 });
    const bob = write(1, 'bob', { through: 'n2' });
    const account = of([alice, bob], 'alice', [read(1.5, 'alice')]);
    expect(countsOf(account)).toEqual({ ...NONE, lost: 1, lossSpanSeconds: 0, overwritten: 1, staleReads: 1 });
    expect(account.examples.overwritten).toEqual([
      {
        ...{ key: 'k', value: 'bob', through: 'n2', acknowledgedAt: iso(1.01), timestampUs: 1_000_000 },
        instead: { value: 'alice', through: 'n1', acknowledgedAt: iso(0.01), timestampUs: 1_100_000 },
      },
    ]);
  });

  it('names an earlier removal of the same kind, and an earlier write over a removal', () => {
    const ahead = { timestampUs: 9_000_000 };
    expect(countsOf(of([write(0, 'a'), write(1, null, ahead), write(2, 'b')], null))).toMatchObject({ overwritten: 1 });
    expect(countsOf(of([write(0, 'a', ahead), write(1, null)], 'a'))).toMatchObject({ overwritten: 1, lost: 1 });
  });

  it('calls a write lost, not overwritten, whose own timestamp is the later one or is not known', () => {
    expect(countsOf(of([write(0, 'a'), write(1, 'b')], 'a'))).toMatchObject({
      lost: 1,
      overwritten: 0,
      resurrected: 0,
    });
    const { timestampUs: _, ...unknown } = write(1, 'b');
    const ahead = write(0, 'a', { timestampUs: 9_000_000 });
    expect(countsOf(of([ahead, unknown], 'a'))).toMatchObject({ lost: 1, overwritten: 0 });
  });

  it('calls resurrected what was removed, or seen to be replaced, and is back', () => {
    expect(countsOf(of([write(0, 'a'), write(1, null)], 'a'))).toMatchObject({ lost: 1, resurrected: 1 });
    const replaced = of([write(0, 'a'), write(1, 'b')], 'a', [read(1.5, 'b')]);
    expect(countsOf(replaced)).toMatchObject({ lost: 1, resurrected: 1, staleReads: 0 });
    expect(replaced.examples.resurrected[0]).toMatchObject({ value: 'b', instead: { value: 'a' } });
  });

  it('calls nothing resurrected where a value is missing that had been there', () => {
    const account = of([write(0, null), write(1, 'b')], null, [read(1.5, 'b')]);
    expect(countsOf(account)).toMatchObject({ lost: 1, resurrected: 0 });
  });

  it('calls a write stale that was hidden for a while and is there at the end', () => {
    const account = of([write(0, 'a'), write(1, 'b')], 'b', [read(1.5, 'a'), read(1.6, 'a'), read(1.7, 'b')]);
    expect(countsOf(account)).toEqual({ ...NONE, stale: 1, staleReads: 2 });
    expect(account.examples.stale[0]).toMatchObject({ value: 'b', instead: { value: 'a' } });
    expect(countsOf(of([write(0, 'a')], 'a', [read(0.5, null)]))).toEqual({ ...NONE, stale: 1, staleReads: 1 });
  });

  it('does not excuse a read by a removal that was sent after its answer', () => {
    const removedLater = [write(0, 'a'), write(2, null)];
    expect(countsOf(of(removedLater, null, [read(1, null)]))).toEqual({ ...NONE, staleReads: 1, stale: 1 });
    const underWay = { ...read(1, null), endedAtMs: 2000 };
    expect(countsOf(of(removedLater, null, [underWay]))).toEqual(NONE);
  });

  it('blames no read for what was not yet acknowledged when it began, nor for what nobody acknowledged', () => {
    expect(countsOf(of([write(0, 'a'), write(1, 'b')], 'b', [read(1.005, 'a')]))).toEqual(NONE);
    expect(countsOf(of([write(0, 'a'), unacknowledged(1, 'b')], 'b', [read(2, 'b')]))).toEqual(NONE);
    expect(countsOf(of([write(0, 'a'), unacknowledged(1, null)], null))).toEqual(NONE);
    expect(countsOf(of([write(0, 'a'), unacknowledged(1, 'b')], 'a'))).toEqual(NONE);
    // It may take effect whenever it likes: nobody promised otherwise.
    expect(countsOf(of([unacknowledged(0, 'a'), write(1, 'b')], 'a'))).toEqual(NONE);
  });

  it('gives writes that were under way at the same time no order', () => {
    const [one, other] = [write(0, 'a', { acknowledgedAtMs: 1500 }), write(1, 'b')];
    for (const last of ['a', 'b']) expect(countsOf(of([one, other], last))).toEqual(NONE);
  });

  it('counts an acknowledgement that came after its client had given up, and a value that is nobody’s as a loss', () => {
    expect(countsOf(of([write(0, 'a', { acknowledgedAtMs: 30_000 })], null))).toMatchObject({ lost: 1 });
    expect(countsOf(of([write(0, 'a')], 'not ours'))).toMatchObject({ lost: 1, overwritten: 0 });
  });

  it('never says anything of a key that was not read', () => {
    expect(() => accountOfValues([write(0, 'a')], [], new Map(), 0)).toThrow('key k: was not read back');
  });

  it('counts all, and shows the first ten', () => {
    const sent = Array.from({ length: 50 }, (_, n) => ({ ...write(n, 'a'), key: `k${n}` }));
    const account = accountOfValues(sent, [], new Map(sent.map(({ key }) => [key, null])), 0);
    expect(account.lost).toBe(50);
    expect(account.examples.lost.map(({ key }) => key)).toEqual(
      sent.slice(0, MAX_VALUE_EXAMPLES).map(({ key }) => key),
    );
  });
});

type Plan = 'honest' | 'lose' | 'hide' | 'resurrect' | 'clock ahead';
const PLANS: Plan[] = ['honest', 'lose', 'hide', 'resurrect', 'clock ahead'];

/**
 * A store that lies as it is told to, one key after the other. On each key Alice writes, Bob writes or removes after her
 * acknowledgement, and both are read.
 */
function lyingStore(keys: readonly { plan: Plan; isRemoval: boolean; gapMs: number }[]) {
  const [sent, seen, last]: [SentValue[], SeenValue[], Map<string, string | null>] = [[], [], new Map()];
  let nowMs = 0;
  for (const [n, { plan, isRemoval, gapMs }] of keys.entries()) {
    const key = `k${n}`;
    const put = (value: string | null, through: string, aheadMs = 0) => {
      const sentAtMs = nowMs;
      nowMs += 5;
      const timestampUs = (sentAtMs + 1 + aheadMs) * 1000;
      sent.push({ key, value, through, sentAtMs, acknowledgedAtMs: nowMs, timestampUs });
      nowMs += 1;
    };
    const look = (value: string | null) => {
      seen.push({ key, startedAtMs: nowMs, endedAtMs: nowMs + 2, value });
      nowMs += 2;
    };
    put('alice', 'n1', plan === 'clock ahead' ? gapMs + 100 : 0);
    look('alice');
    nowMs += gapMs;
    const later = isRemoval ? null : 'bob';
    put(later, 'n2');
    look(plan === 'clock ahead' || plan === 'hide' ? 'alice' : later);
    last.set(key, plan === 'lose' && !isRemoval ? null : ['resurrect', 'clock ahead'].includes(plan) ? 'alice' : later);
  }
  return accountOfValues(sent, seen, last, 0);
}

describe('the account of any values', () => {
  const keys = fc.array(fc.record({ plan: fc.constantFrom(...PLANS), isRemoval: fc.boolean(), gapMs: fc.nat(50) }), {
    maxLength: 40,
  });

  it('finds out a store that lies, and tells what each lie was', () => {
    fc.assert(
      fc.property(keys, (planned) => {
        const planted = (plan: Plan, which = (_: { isRemoval: boolean }) => true) =>
          planned.filter((each) => each.plan === plan && which(each)).length;
        const lost = planted('lose', ({ isRemoval }) => !isRemoval);
        const [resurrected, overwritten, stale] = [planted('resurrect'), planted('clock ahead'), planted('hide')];
        const { lossSpanSeconds: _, ...counts } = countsOf(lyingStore(planned));
        expect(counts).toEqual({
          ...{ lost: lost + resurrected + overwritten, resurrected, overwritten, stale },
          staleReads: stale + overwritten,
          unacknowledgedThrough: {},
        });
      }),
    );
  });

  /** One copy behind one lock: each operation takes effect at a moment between its start and its answer, or never is answered. */
  const honest = fc.array(
    fc.record({
      ...{ startMs: fc.nat(500), travelMs: fc.nat(100), backMs: fc.nat(100), isAnswered: fc.boolean() },
      ...{ isRead: fc.boolean(), isRemoval: fc.boolean(), key: fc.constantFrom('k', 'l') },
    }),
    { maxLength: 60 },
  );

  it('finds nothing wrong with any linearizable store, however concurrent its clients are', () => {
    fc.assert(
      fc.property(honest, (operations) => {
        const [sent, seen]: [SentValue[], SeenValue[]] = [[], []];
        const store = new Map<string, string | null>([
          ['k', null],
          ['l', null],
        ]);
        const atMs = ({ startMs, travelMs }: (typeof operations)[number]) => startMs + travelMs;
        const inOrder = [...operations].sort((one, other) => atMs(one) - atMs(other));
        for (const [n, operation] of inOrder.entries()) {
          const { key, startMs, backMs, isRead, isRemoval, isAnswered } = operation;
          if (isRead) {
            const endedAtMs = atMs(operation) + backMs;
            seen.push({ key, startedAtMs: startMs, endedAtMs, value: store.get(key) ?? null });
          } else {
            const value = isRemoval ? null : `v${n}`;
            store.set(key, value);
            const answer = isAnswered ? { acknowledgedAtMs: atMs(operation) + backMs } : {};
            sent.push({ key, value, sentAtMs: startMs, timestampUs: n, ...answer });
          }
        }
        expect(countsOf(accountOfValues(sent, seen, store, 0))).toEqual(NONE);
      }),
    );
  });
});
