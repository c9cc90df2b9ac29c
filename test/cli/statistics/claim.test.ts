import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTailAtMost } from '../../../cli/statistics/binomial.ts';
import { claim, type Sample, upperBound } from '../../../cli/statistics/claim.ts';

/** Every sequence of successes and failures, one by one, with its exact weight over 100^n. */
function weightOfAtMost(failures: number, n: number, successPct: number): bigint {
  let sum = 0n;
  for (let outcome = 0; outcome < 2 ** n; outcome += 1) {
    const failed = outcome.toString(2).replaceAll('0', '').length;
    if (failed <= failures)
      sum += BigInt(successPct) ** BigInt(n - failed) * BigInt(100 - successPct) ** BigInt(failed);
  }
  return sum;
}

const percent = fc.integer({ min: 1, max: 99 });
/** Few different values, so that many are equal, and some runs without one. */
const samples = (maxLength: number) =>
  fc.array(fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined, freq: 8 }), { maxLength });

describe('the tail of the binomial distribution', () => {
  test('agrees with the sum over every possible outcome, exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.nat(9), percent, percent, (n, failures, successPct, alphaPct) => {
        const expected = weightOfAtMost(failures, n, successPct) * 100n <= BigInt(alphaPct) * 100n ** BigInt(n);
        expect(isTailAtMost(n, failures, successPct, alphaPct)).toBe(expected);
      }),
    );
  });

  test('includes equality: a probability of exactly the allowed one is allowed', () => {
    expect(isTailAtMost(1, 0, 5, 5)).toBe(true);
    expect(isTailAtMost(2, 0, 20, 4)).toBe(true);
    expect(isTailAtMost(2, 0, 20, 3)).toBe(false);
  });
});

describe('a claim', () => {
  const allWithin = (count: number): Sample[] => Array.from({ length: count }, () => 4.5);

  test.each([
    [90, 29],
    [95, 59],
    [99, 299],
  ])('of P%i takes %i runs when all of them are within the limit, and not one fewer', (percentile, needed) => {
    expect(claim(percentile, 15, [])).toMatchObject({ claimable: false, runsNeeded: needed });
    expect(claim(percentile, 15, allWithin(4))).toMatchObject({ claimable: false, runs: 4, runsNeeded: needed });
    expect(claim(percentile, 15, allWithin(needed - 1))).toMatchObject({ claimable: false, runsNeeded: needed });
    expect(claim(percentile, 15, allWithin(needed))).toMatchObject({ claimable: true, runsNeeded: needed });
  });

  test('takes more runs for each one beyond the limit, and one without a value is beyond it', () => {
    expect(claim(95, 15, [...allWithin(58), 15.1])).toMatchObject({ claimable: false, runsWithin: 58, runsNeeded: 93 });
    expect(claim(95, 15, [...allWithin(58), undefined])).toMatchObject({ runsWithin: 58, runsNeeded: 93 });
    expect(claim(95, 15, [...allWithin(92), undefined])).toMatchObject({ claimable: true, runsNeeded: 93 });
    expect(claim(95, 15, [...allWithin(58), 15])).toMatchObject({ claimable: true, runsWithin: 59 });
  });

  test('is possible with the runs that are needed and not with one fewer, whatever was seen before', () => {
    fc.assert(
      fc.property(fc.constantFrom(75, 90, 95), samples(12), fc.nat(20), (percentile, seen, limit) => {
        const { claimable, runsNeeded, runs, runsWithin } = claim(percentile, limit, seen);
        expect(runsNeeded).toBeGreaterThanOrEqual(runs);
        expect(claimable).toBe(runsNeeded === runs);
        const withFurther = (total: number) =>
          claim(percentile, limit, [...seen, ...Array.from({ length: total - runs }, () => limit)]).claimable;
        expect(withFurther(runsNeeded)).toBe(true);
        if (runsNeeded > runs) expect(withFurther(runsNeeded - 1)).toBe(false);
        expect(runsWithin).toBe(seen.filter((value) => value !== undefined && value <= limit).length);
      }),
    );
  });

  test('is possible exactly from the upper bound of the percentile on', () => {
    fc.assert(
      fc.property(percent, samples(80), fc.nat(20), (percentile, seen, limit) => {
        const bound = upperBound(percentile, seen);
        expect(claim(percentile, limit, seen).claimable).toBe(bound !== undefined && bound <= limit);
        if (bound !== undefined) expect(seen).toContain(bound);
      }),
    );
  });
});

describe('the upper bound of a percentile', () => {
  test('is none with too few runs, then the highest value, then lower ones', () => {
    const values = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
    expect(upperBound(95, values(58))).toBeUndefined();
    expect(upperBound(95, values(59))).toBe(59);
    expect(upperBound(95, values(93))).toBe(92);
    expect(upperBound(95, [...values(58), undefined])).toBeUndefined();
    expect(upperBound(50, [3, 1, 2, 5, 4])).toBe(5);
  });

  test('lies below the true percentile in at most 5 % of all samples: every sample of a small world is tried', () => {
    for (const size of [8, 9]) {
      let below = 0;
      for (let code = 0; code < 3 ** size; code += 1) {
        // Each value is 0, 1 or 2 with a third: two thirds are no more than 1, so P67 is 2.
        const bound = upperBound(
          67,
          Array.from({ length: size }, (_, at) => Math.floor(code / 3 ** at) % 3),
        );
        if (bound !== undefined && bound < 2) below += 1;
      }
      expect(below).toBeGreaterThan(0);
      expect(below / 3 ** size).toBeLessThanOrEqual(0.05);
    }
  });
});
