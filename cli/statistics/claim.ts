import { isTailAtMost } from './binomial.ts';

export const CONFIDENCE_PCT = 95;
/** Percentiles of which a claim is tried. */
export const CLAIMED_PERCENTILES = [90, 95, 99] as const;

/** Of one run; undefined: it was not measured, or nothing that was measured counts. */
export type Sample = number | undefined;

export interface Claim {
  /** 1-99: 95 is P95. */
  percentile: number;
  limit: number;
  runs: number;
  runsWithin: number;
  claimable: boolean;
  /** Runs in all that a claim takes when every further one is within the limit; `runs` when it is claimable now. */
  runsNeeded: number;
  /** The lowest value of which the same could be claimed; absent: there is none with so few runs. */
  upperBound?: number;
}

/**
 * May "P<percentile> ≤ limit" be claimed at 95 % confidence? The exact one-sided binomial test: under the hypothesis
 * that a run is within the limit with a probability of no more than `percentile` percent, at least as many of them are
 * within it as were seen with a probability of at most 5 %. The same as a lower Clopper–Pearson bound (Clopper and
 * Pearson, Biometrika 26, 1934) of the share within the limit that is `percentile` percent or more. A run without a
 * value counts as beyond the limit. Holds only for runs that are independent and alike, and whose number was not
 * chosen after seeing them.
 * @param percentile a whole number, 1-99
 */
export function claim(percentile: number, limit: number, samples: readonly Sample[]): Claim {
  const runs = samples.length;
  const runsWithin = samples.filter((value) => value !== undefined && value <= limit).length;
  const runsNeeded = runsNeededFor(percentile, runs - runsWithin, runs);
  const bound = upperBound(percentile, samples);
  return {
    percentile,
    limit,
    runs,
    runsWithin,
    claimable: runsNeeded === runs,
    runsNeeded,
    ...(bound === undefined ? {} : { upperBound: bound }),
  };
}

/**
 * Upper confidence bound of a percentile, by order statistics (David and Nagaraja, Order Statistics, 2003, section
 * 7.1): the smallest of the sorted values X(k) with P(Binomial(n, percentile/100) ≤ k − 1) ≥ 95 %.
 * @returns undefined when there is none with so few runs, or when it is that of a run without a value.
 */
export function upperBound(percentile: number, samples: readonly Sample[]): number | undefined {
  const sorted = samples.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  let beyond = 0;
  while (isClaimable(percentile, sorted.length, beyond)) beyond += 1;
  const found = beyond === 0 ? undefined : sorted[sorted.length - beyond];
  return found === Number.POSITIVE_INFINITY ? undefined : found;
}

function isClaimable(percentile: number, runs: number, beyond: number): boolean {
  return runs > 0 && isTailAtMost(runs, beyond, percentile, 100 - CONFIDENCE_PCT);
}

/** The smallest number of runs, not below `atLeast`, that allows the claim with `beyond` of them beyond the limit. */
function runsNeededFor(percentile: number, beyond: number, atLeast: number): number {
  if (isClaimable(percentile, atLeast, beyond)) return atLeast;
  let tooFew = atLeast;
  let enough = Math.max(1, atLeast) * 2;
  while (!isClaimable(percentile, enough, beyond)) [tooFew, enough] = [enough, enough * 2];
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (isClaimable(percentile, middle, beyond)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}
