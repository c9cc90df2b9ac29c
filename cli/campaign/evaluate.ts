import type { BudgetName } from '../../functions/domain/experiment.ts';
import { hasSeveralClusters, type MeasureSamples, samplesOf, summarizeMeasure } from '../runs/distributions.ts';
import { MEASURE_UNITS } from '../runs/measures.ts';
import { outcomesOf } from '../runs/outcomes.ts';
import type { RunDocument } from '../runs/run-document.ts';
import { CLAIMED_PERCENTILES, type Claim, claim } from '../statistics/claim.ts';
import type { Distribution } from '../statistics/distribution.ts';

export interface CampaignEvaluation {
  outcomes: Record<string, number>;
  measures: ({ measure: string; unit: string } & Distribution)[];
  /** Of each measure with a limit, the highest percentile first. */
  claims: ({ measure: string; unit: string } & Claim)[];
}

/** The measure of which a claim is always tried: it has a limit in every cluster's budgets. */
const ALWAYS_CLAIMED: BudgetName = 'rtoSeconds';

/**
 * What the runs of a campaign come to. Pure.
 * @param runs all that began; one that does not count is beyond every limit
 * @param limits by name of the measure; `rtoSeconds` without one has the lowest limit that a run's budgets say
 */
export function evaluate(runs: readonly RunDocument[], limits: ReadonlyMap<string, number>): CampaignEvaluation {
  const found = samplesOf(runs, hasSeveralClusters(runs));
  const names = new Set([ALWAYS_CLAIMED, ...limits.keys()]);
  return {
    outcomes: outcomesOf(runs),
    measures: found.map((samples) => {
      const { measure, unit, distribution } = summarizeMeasure(samples);
      return { measure, unit, ...distribution };
    }),
    claims: [...names].flatMap((name) => {
      const own = found.filter((samples) => samples.name === name);
      const measured = own.length > 0 ? own : [neverMeasured(name, runs)];
      return measured.flatMap((samples) => claimsOf(samples, limits.get(name) ?? budgetOf(samples, runs)));
    }),
  };
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
