import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountOf, type SentRecord } from '../../functions/domain/record-account.ts';
import { accountOfValues, type SentValue } from '../../functions/domain/value-account.ts';
import { judgeValues, type ValueHistory } from './judge.ts';

/** judge-twice.ts has the checker judge whatever is accounted for here. */
const RUNS = fc.readConfigureGlobal()?.numRuns ?? 2000;

const times = {
  ...{ startMs: fc.nat(100), travelMs: fc.nat(15), backMs: fc.nat(15) },
  isAnswered: fc.constantFrom(true, true, false),
};
const operations = fc.array(
  fc.record({
    ...times,
    kind: fc.constantFrom('write', 'write', 'remove', 'read', 'read'),
    // The clock of the node that gives the write its timestamp.
    aheadMs: fc.constantFrom(0, 0, 60),
  }),
  { minLength: 4, maxLength: 12 },
);
/** Which write is shown in the place of the right one: of most reads, none. */
const lie = fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.nat(12));

/** One key that keeps what has the latest timestamp, and lies as it is told to. */
const values = fc
  .tuple(operations, fc.array(lie, { minLength: 13, maxLength: 13 }))
  .map(([planned, lies]): ValueHistory => {
    const inOrder = planned
      .map((each) => ({ ...each, atMs: each.startMs + each.travelMs }))
      .sort((one, other) => one.atMs - other.atMs);
    const [sent, seen]: [SentValue[], ValueHistory['seen'][number][]] = [[], []];
    let kept = { value: null as string | null, timestampUs: -1 };
    const shown = (n: number) => {
      const instead = sent[lies[n] ?? sent.length];
      return instead === undefined ? kept.value : instead.value;
    };
    for (const [n, { kind, startMs, atMs, backMs, aheadMs, isAnswered }] of inOrder.entries()) {
      if (kind === 'read') {
        seen.push({ key: 'k', startedAtMs: startMs, endedAtMs: atMs + backMs, value: shown(n) });
        continue;
      }
      const [value, timestampUs] = [kind === 'remove' ? null : `v${n}`, Math.floor((atMs + aheadMs) / 10) * 10_000];
      if (timestampUs >= kept.timestampUs) kept = { value, timestampUs };
      const answer = isAnswered ? { acknowledgedAtMs: atMs + backMs } : {};
      sent.push({ key: 'k', value, sentAtMs: startMs, timestampUs, ...answer });
    }
    return { sent, seen, last: new Map([['k', shown(inOrder.length)]]) };
  });

/** One log that loses, doubles and moves records, and a client that takes an acknowledgement for that of another one. */
const records = fc
  .array(
    fc.record({
      ...times,
      fate: fc.constantFrom('keep', 'keep', 'keep', 'keep', 'lose', 'double', 'move', 'mistake', 'mistaken loss'),
    }),
    { minLength: 4, maxLength: 12 },
  )
  .map((planned) => {
    const inOrder = planned
      .map((each) => ({ ...each, atMs: each.startMs + each.travelMs }))
      .sort((one, other) => one.atMs - other.atMs)
      .map((each, n) => ({ ...each, key: `k${n}` }));
    const log: string[] = [];
    const sent: SentRecord[] = [];
    for (const [n, { key, startMs, atMs, backMs, isAnswered, fate }] of inOrder.entries()) {
      if (fate === 'move') log.unshift(key);
      else if (fate !== 'lose' && fate !== 'mistaken loss') log.push(key);
      if (fate === 'double') log.push(key);
      const offset = fate.startsWith('mistake') ? n - 1 : n;
      const answer = isAnswered ? { acknowledged: { atMs: atMs + backMs, offset, term: '1' } } : {};
      sent.push({ key, sentAtMs: startMs, ...answer });
    }
    const placesOf = (key: string) => log.flatMap((each, offset) => (each === key ? [offset] : []));
    return { sent, found: new Map(inOrder.map(({ key }) => [key, placesOf(key)])) };
  });

function add<Name extends string>(counts: Record<Name, number>, account: Partial<Record<NoInfer<Name>, number>>): void {
  for (const name of Object.keys(counts) as Name[]) counts[name] += account[name] ?? 0;
}

describe('histories with planted anomalies', () => {
  it('have every anomaly of values, alone and among concurrent writes without an answer', () => {
    const found = { lost: 0, overwritten: 0, resurrected: 0, stale: 0, staleReads: 0 };
    const clean: ValueHistory[] = [];
    fc.assert(
      fc.property(values, (history) => {
        const account = accountOfValues(history.sent, history.seen, history.last, 0);
        add(found, account);
        if (account.lost + account.staleReads === 0) clean.push(history);
      }),
      { numRuns: RUNS },
    );
    expect(Math.min(...Object.values(found))).toBeGreaterThan(0);
    // Most of what we call clean is linearizable; of what is not, see below.
    const linearizable = judgeValues(clean).filter((verdict) => verdict.linearizable).length;
    expect(linearizable).toBeGreaterThan(RUNS / 10);
    expect(linearizable).toBeLessThan(clean.length);
  });

  it('have every anomaly of records, and clients that blame the wrong one', () => {
    const found = { lost: 0, duplicated: 0, reordered: 0, repeatedOffsets: 0 };
    let unknown = 0;
    fc.assert(
      fc.property(records, ({ sent, found: inLog }) => {
        const account = accountOf(sent, inLog, 0);
        add(found, account);
        if (account.lost === undefined) unknown += 1;
      }),
      { numRuns: RUNS },
    );
    expect(Math.min(unknown, ...Object.values(found))).toBeGreaterThan(0);
  });
});

/** Where ours is not linearizability: it counts what was promised, each read by itself. */
describe('what is not linearizable and breaks no promise', () => {
  const put = (value: string, sentAtMs: number, acknowledgedAtMs?: number): SentValue => ({
    ...{ key: 'k', value, sentAtMs },
    ...(acknowledgedAtMs === undefined ? {} : { acknowledgedAtMs }),
  });
  const look = (value: string | null, startedAtMs: number) => ({
    ...{ key: 'k', value, startedAtMs, endedAtMs: startedAtMs + 1 },
  });
  const NOTHING = { lost: 0, overwritten: 0, resurrected: 0, stale: 0, staleReads: 0 };
  const CASES: Record<string, ValueHistory> = {
    'reads that see two concurrent writes in both orders': {
      sent: [put('a', 0, 10), put('b', 0, 10)],
      seen: [look('a', 20), look('b', 30)],
      last: new Map([['k', 'a']]),
    },
    'a write that nobody acknowledged, seen and then gone': {
      sent: [put('a', 0, 10), put('b', 20)],
      seen: [look('b', 30)],
      last: new Map([['k', 'a']]),
    },
    'a write seen before its acknowledgement, and then not yet': {
      sent: [put('a', 0, 50)],
      seen: [look('a', 10), look(null, 20)],
      last: new Map([['k', 'a']]),
    },
    'a value of nobody’s where nothing was promised': {
      ...{ sent: [put('a', 0)], seen: [look('not ours', 10)] },
      last: new Map([['k', 'not ours']]),
    },
  };

  it.each(Object.entries(CASES))('%s', (_, history) => {
    expect(accountOfValues(history.sent, history.seen, history.last, 0)).toMatchObject(NOTHING);
    expect(judgeValues([history])).toEqual([
      { lostKeys: 0, lost: 0, overwritten: 0, resurrected: 0, staleReads: 0, linearizable: false },
    ]);
  });
});
