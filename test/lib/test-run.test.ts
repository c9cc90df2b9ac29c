import { describe, expect, it } from 'vitest';
import { closingLine, failureLines, overQuota, type Result, tableRow, unacceptable } from '../run/result.ts';

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
});
