import { describe, expect, it } from 'vitest';
import {
  afterSecond,
  closingLine,
  failureLines,
  overQuota,
  type Result,
  tableRow,
  triedAgain,
  unacceptable,
} from '../run/result.ts';

const fine: Result = { tier: 'host', passed: 7, failed: 0, skipped: 0, seconds: 90, quotaSeconds: 100 };

describe('a run of the tests', () => {
  it('says what each tier took beside what it may take', () => {
    expect(tableRow(fine)).toBe('host                 passed  7 passed, 0 failed, 0 skipped, 90 of 100 s');
    expect(tableRow({ ...fine, quotaSeconds: Number.POSITIVE_INFINITY })).toMatch(/, 90 s$/);
  });

  it.each<[string, Partial<Result>]>([
    ['was not run', { notRun: 'needs root' }],
    ['skipped a test', { skipped: 1 }],
  ])('fails in CI for a tier that %s, and nowhere else', (_, change) => {
    const results = [fine, { ...fine, ...change }];
    expect(unacceptable(results, true)).toBe(1);
    expect(unacceptable(results, false)).toBe(0);
    expect(closingLine(results, true)).toMatch(/^14 passed, 1 failed, [01] skipped$/);
  });

  it('fails everywhere for a test that failed', () => {
    expect(unacceptable([{ ...fine, failed: 2 }], false)).toBe(2);
  });

  it('names each test that failed, for whoever sees the end of the output alone', () => {
    const failed = { ...fine, failed: 1, failures: ['fence.test.ts › keeps clients out'] };
    expect(failureLines([fine, failed])).toEqual(['FAILED host: fence.test.ts › keeps clients out']);
  });

  it('names the tier that took too long, what it took and what it may take', () => {
    expect(overQuota(fine)).toBeUndefined();
    expect(overQuota({ ...fine, seconds: 130.4 })).toMatch(
      /^host took 130 s, and its quota in test\/tiers.ts is 100 s:/,
    );
  });

  describe('with a second attempt, alone, of the files that failed', () => {
    const file = (name: string) => ({ file: name, passed: 2, skipped: 1 });
    const first: Result = {
      ...{ ...fine, passed: 9, failed: 2, skipped: 1 },
      failures: ['a.test.ts › holds', 'b.test.ts › a set-up'],
      failedFiles: [file('a.test.ts'), { file: 'b.test.ts', passed: 0, skipped: 0 }],
    };

    it('tries them again unless they are many, and nothing of a tier that crashed', () => {
      expect(triedAgain(first)).toEqual(['a.test.ts', 'b.test.ts']);
      expect(triedAgain({ ...first, failedFiles: ['a', 'b', 'c', 'd'].map(file) })).toEqual([]);
      expect(triedAgain({ ...fine, failed: 1 })).toEqual([]);
    });

    it('takes nothing as passed when the second attempt itself crashes', () => {
      const crashed = { ...fine, passed: 0, failed: 1, failures: ['there is no report of it that can be read'] };
      const both = afterSecond(first, crashed);
      expect(unacceptable([both], false)).toBe(2);
      expect(failureLines([both])).toHaveLength(3);
    });

    it('fails for what fails again, and says of what passed then that it had failed before', () => {
      const second: Result = {
        ...{ ...fine, passed: 4, failed: 1, skipped: 0, seconds: 10 },
        failures: ['b.test.ts › a set-up'],
        failedFiles: [{ file: 'b.test.ts', passed: 0, skipped: 0 }],
      };
      const both = afterSecond(first, second);
      expect(both).toMatchObject({ passed: 11, failed: 1, skipped: 0, seconds: 100 });
      expect(unacceptable([both], false)).toBe(1);
      expect(failureLines([both])).toEqual([
        'UNSTEADY host, passed at the second attempt: a.test.ts › holds',
        'FAILED host: b.test.ts › a set-up',
      ]);
      expect(closingLine([both], true)).toBe(
        '11 passed, 1 failed, 0 skipped; 1 of the passed at the second attempt only',
      );
    });
  });
});
