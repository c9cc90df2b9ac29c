import { afterAll, expect, vi } from 'vitest';
import { judgeRecords, judgeValues, type RecordHistory, type ValueHistory } from './judge.ts';

/**
 * Before a file of tests: whatever of its histories one of our three accounts judges is kept. After it: the checker judges them
 * too, and both must say the same.
 *
 * Neither is asked what it does not define. The checker knows no reason why a register is not linearizable, but that a clock
 * was wrong (then a register that goes by timestamps explains it), and that what had taken effect is gone.
 */
const values: { history: ValueHistory; ours: object }[] = [];
const records: { history: RecordHistory; ours: object }[] = [];

vi.mock(import('../../functions/domain/value-account.ts'), async (load) => {
  const original = await load();
  return {
    ...original,
    accountOfValues(sent, seen, last, epochOffsetMs) {
      const account = original.accountOfValues(sent, seen, last, epochOffsetMs);
      const ofKey = (own: typeof sent) => original.accountOfValues(own, seen, last, epochOffsetMs);
      const lostKeys = [...Map.groupBy(sent, ({ key }) => key).values()].filter((own) => ofKey(own).lost > 0).length;
      const { lost, overwritten, resurrected, staleReads } = account;
      values.push(
        structuredClone({
          history: { sent, seen, last },
          ours: { lostKeys, lost, overwritten, resurrected, staleReads },
        }),
      );
      return account;
    },
  };
});

vi.mock(import('../../functions/domain/record-account.ts'), async (load) => {
  const original = await load();
  return {
    ...original,
    accountOf(sent, found, epochOffsetMs) {
      const account = original.accountOf(sent, found, epochOffsetMs);
      const { lost = 0, duplicated, reordered, repeatedOffsets } = account;
      records.push(
        structuredClone({
          history: { sent, found },
          ours: {
            ...{ lost, duplicated, reordered, repeatedOffsets },
            linearizable: lost + duplicated + reordered === 0,
            // Whether it says how many are lost.
            isUnknown: account.lost === undefined,
          },
        }),
      );
      return account;
    },
  };
});

/** Each key has one write, acknowledged before all is read. */
vi.mock(import('../../functions/probe/loss-checker.ts'), async (load) => {
  const original = await load();
  return {
    ...original,
    checkLoss(acknowledged, found) {
      const report = original.checkLoss(acknowledged, found);
      const sent = [...acknowledged].map(([key, { value, atMs }]) => ({
        ...{ key, value },
        ...{ sentAtMs: atMs, acknowledgedAtMs: atMs },
      }));
      const [lost, none] = [report.lost.length, { overwritten: 0, resurrected: 0, staleReads: 0 }];
      values.push({
        history: { sent, seen: [], last: new Map(found) },
        ours: { lostKeys: lost, lost, ...none },
      });
      return report;
    },
  };
});

afterAll(() => {
  expect(values.length + records.length, 'histories of this file').toBeGreaterThan(0);
  for (const [index, theirs] of judgeValues(values.map(({ history }) => history)).entries()) {
    const { linearizable, ...verdict } = theirs;
    const { history, ours } = values[index] ?? {};
    expect({ verdict: ours, history }).toEqual({ verdict, history });
    // Not the other way round: planted.test.ts has what is not linearizable and breaks no promise.
    if (linearizable)
      expect({ verdict: ours, history }).toMatchObject({ verdict: { lost: 0, staleReads: 0 }, history });
  }
  for (const [index, theirs] of judgeRecords(records.map(({ history }) => history)).entries()) {
    const { unpromised, ...verdict } = theirs;
    const { history, ours } = records[index] ?? {};
    // An acknowledgement of another record's offset promises nothing: ours then names no number unless others are lost.
    const isUnknown = unpromised > 0 && theirs.lost === 0;
    expect({ verdict: ours, history }).toEqual({ verdict: { ...verdict, isUnknown }, history });
  }
});
