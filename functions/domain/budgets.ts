import type { Cluster } from './configuration.ts';
import type { ShardEvidence } from './evidence.ts';
import { BUDGETS, type BudgetName, type BudgetVerdict, clustersOf, type Experiment } from './experiment.ts';

/** What a client of a cluster may suffer. */
export type BudgetLimits = Pick<Cluster['budgets'], BudgetName>;

/** Nothing is allowed of a cluster that is not configured any more: its budgets cannot be met. */
const NO_BUDGET: BudgetLimits = { rtoSeconds: 0, unavailableSeconds: 0, lostAcknowledgedWrites: 0 };

/** The limits of each cluster of the experiment, by its name; a request may have narrowed them. */
export function budgetLimits(
  experiment: Pick<Experiment, 'faults' | 'budgets'>,
  clusters: Readonly<Record<string, Pick<Cluster, 'budgets'>>>,
): Record<string, BudgetLimits> {
  const own = experiment.budgets?.unavailableSeconds ?? Number.POSITIVE_INFINITY;
  return Object.fromEntries(
    clustersOf(experiment).map((name) => {
      const limits = (Object.hasOwn(clusters, name) ? clusters[name]?.budgets : undefined) ?? NO_BUDGET;
      return [name, { ...limits, unavailableSeconds: Math.min(limits.unavailableSeconds, own) }];
    }),
  );
}

/** The limits of each cluster against the worst of its impacted shards. What was not measured is not met. */
export function judgeBudgets(
  limits: Readonly<Record<string, BudgetLimits>>,
  evidence: readonly ShardEvidence[],
): BudgetVerdict[] {
  return Object.entries(limits).flatMap(([cluster, allowed]) => {
    const own = evidence.filter((shard) => shard.cluster === cluster);
    return BUDGETS.map((name): BudgetVerdict => {
      const limit = allowed[name];
      const measured = worst(
        own.map((shard) => shard[name]),
        limit,
      );
      const met = measured !== undefined && measured <= limit;
      return { cluster, name, limit, ...(measured === undefined ? {} : { measured }), met };
    });
  });
}

/**
 * The highest of all shards. One that was not measured may have been worse, so it makes the whole unknown; unless
 * another one is over the limit, which is enough to know.
 */
function worst(values: readonly (number | undefined)[], limit: number): number | undefined {
  const known = values.filter((value) => value !== undefined);
  const highest = Math.max(...known);
  return known.length > 0 && (known.length === values.length || highest > limit) ? highest : undefined;
}
