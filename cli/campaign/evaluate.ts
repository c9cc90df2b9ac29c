import type { BudgetName } from '../../functions/domain/experiment.ts';
import { askedNotKnown, type Difference, differencesBetween } from '../compare/differences.ts';
import { hasSeveralClusters, type MeasureSamples, samplesOf, summarizeMeasure } from '../runs/distributions.ts';
import { MEASURE_UNITS } from '../runs/measures.ts';
import { outcomesOf } from '../runs/outcomes.ts';
import { counts, type RunDocument } from '../runs/run-document.ts';
import { CLAIMED_PERCENTILES, type Claim, claim } from '../statistics/claim.ts';
import type { Distribution } from '../statistics/distribution.ts';

export interface CampaignEvaluation {
  outcomes: Record<string, number>;
  measures: ({ measure: string; unit: string } & Distribution)[];
  /** In what the runs that count were not alike: `a` has every value there was. */
  differences: Difference[];
  /** Why nothing may be claimed, whatever was measured; or null. */
  noClaimsBecause: string | null;
  /** Of each measure with a limit, the highest percentile first; none where `noClaimsBecause` says why. */
  claims: ({ measure: string; unit: string } & Claim)[];
}

/** The measure of which a claim is always tried: it has a limit in every cluster's budgets. */
const ALWAYS_CLAIMED: BudgetName = 'rtoSeconds';

/**
 * What the runs of a campaign come to. Pure.
 * @param runs all that began; one that does not count is beyond every limit
 * @param limits by name of the measure; `rtoSeconds` without one has the lowest limit that a run's budgets say
 * @param runsAsked as many as were chosen before the first one: of fewer nothing may be claimed
 */
export function evaluate(
  runs: readonly RunDocument[],
  limits: ReadonlyMap<string, number>,
  runsAsked: number,
): CampaignEvaluation {
  const found = samplesOf(runs, hasSeveralClusters(runs));
  const counted = runs.filter(counts);
  const differences = differencesBetween(counted, []);
  const noClaimsBecause = reasonForNoClaims(runs, runsAsked, differences, askedNotKnown(counted));
  const names = new Set([ALWAYS_CLAIMED, ...limits.keys()]);
  return {
    outcomes: outcomesOf(runs),
    measures: found.map((samples) => {
      const { measure, unit, distribution } = summarizeMeasure(samples);
      return { measure, unit, ...distribution };
    }),
    differences,
    noClaimsBecause,
    claims: (noClaimsBecause === null ? [...names] : []).flatMap((name) => {
      const own = found.filter((samples) => samples.name === name);
      const measured = own.length > 0 ? own : [neverMeasured(name, runs)];
      return measured.flatMap((samples) => claimsOf(samples, limits.get(name) ?? budgetOf(samples, runs)));
    }),
  };
}

/** The number of runs must not depend on what they came to, and they must be runs of one and the same thing. */
function reasonForNoClaims(
  runs: readonly RunDocument[],
  runsAsked: number,
  differences: readonly Difference[],
  notKnown: readonly string[],
): string | null {
  if (runs.length < runsAsked) return `only ${runs.length} of the ${runsAsked} runs chosen beforehand were made`;
  if (notKnown.length > 0) return `it is not known what was asked of ${notKnown.join(', ')}`;
  if (differences.length === 0) return null;
  const found = differences.map(({ what, a }) => `${what}: ${a.join(' or ')}`);
  return `the runs were not alike: ${found.join('; ')}`;
}

function claimsOf({ measure, unit, samples }: MeasureSamples, limit: number | undefined) {
  if (limit === undefined) return [];
  const percentiles = CLAIMED_PERCENTILES.toSorted((a, b) => b - a);
  return percentiles.map((percentile) => ({ measure, unit, ...claim(percentile, limit, samples) }));
}

function budgetOf({ name, cluster }: MeasureSamples, runs: readonly RunDocument[]): number | undefined {
  const own = runs
    .flatMap((run) => run.budgets ?? [])
    .filter((budget) => budget.name === name && (cluster === '' || budget.cluster === cluster));
  return own.length === 0 ? undefined : Math.min(...own.map(({ limit }) => limit));
}

function neverMeasured(name: string, runs: readonly RunDocument[]): MeasureSamples {
  return { measure: name, name, cluster: '', unit: MEASURE_UNITS.get(name) ?? '', samples: runs.map(() => undefined) };
}
