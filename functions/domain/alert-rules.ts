import type { Cluster } from './configuration.ts';
import type { AlertSeverity } from './experiment.ts';
import { type Guardrail, guardrailsOf } from './guardrail-queries.ts';
import { LATE_SAMPLE_SECONDS, RULE_EVALUATION_SECONDS } from './timing.ts';

/** The guardrails as alerting rules: the second line, for whoever evaluates rules (AMP, a Prometheus of your own). */

/** As a rules file has it. */
export interface AlertRule {
  alert: string;
  expr: string;
  labels: { cluster: string; guardrail: string; severity: AlertSeverity };
  annotations: { summary: string };
}
export interface RuleGroup {
  name: string;
  interval: string;
  rules: AlertRule[];
}

/** The mission's checklist: the guard ends an experiment at 0.5 % of errors, the second line at 1 % at the earliest. */
export const SECOND_LINE_ERROR_PCT = 1;
/** AMP takes no more in one group. */
const MAX_RULES_IN_GROUP = 20;
/** Of the rule that is no guardrail. */
export const STORES_DOWN = 'storesDownPct';

type Ruled = Pick<Cluster, 'telemetry' | 'guardrails' | 'blastRadius'>;
type Limit = Pick<Guardrail, 'query' | 'scrapeIntervalSeconds' | 'limit' | 'breachWhen' | 'unit'>;

/** One group a cluster, or several where it has more guardrails than a group may have rules. */
export function ruleGroupsOf(clusters: Readonly<Record<string, Ruled>>): RuleGroup[] {
  return Object.entries(clusters).flatMap(([cluster, each]) => {
    const rules = Object.entries(limitsOf(each)).map(([name, limit]) => ruleOf(cluster, name, limit));
    const groups = Math.ceil(rules.length / MAX_RULES_IN_GROUP);
    return Array.from({ length: groups }, (_, at) => ({
      name: groups === 1 ? `holdfast ${cluster}` : `holdfast ${cluster} ${at + 1}`,
      interval: `${RULE_EVALUATION_SECONDS}s`,
      rules: rules.slice(at * MAX_RULES_IN_GROUP, (at + 1) * MAX_RULES_IN_GROUP),
    }));
  });
}

function limitsOf(cluster: Ruled): Record<string, Limit> {
  const limits: Record<string, Limit> = Object.fromEntries(
    Object.entries(guardrailsOf(cluster)).map(([name, guardrail]) => {
      const isErrorRate = cluster.guardrails[name]?.kind === 'ERROR_RATE';
      return [
        name,
        isErrorRate ? { ...guardrail, limit: Math.max(guardrail.limit, SECOND_LINE_ERROR_PCT) } : guardrail,
      ];
    }),
  );
  const { stores, scrapeIntervalSeconds } = cluster.telemetry;
  return stores === undefined
    ? limits
    : { ...limits, [STORES_DOWN]: storesDown(cluster, stores, scrapeIntervalSeconds) };
}

/** What a fault may take away is no alert: more than the blast radius allows is. */
function storesDown({ blastRadius }: Ruled, stores: string, scrapeIntervalSeconds: number): Limit {
  return {
    query: `100 * (count(${stores} == 0) or vector(0)) / count(${stores})`,
    ...{ scrapeIntervalSeconds, limit: blastRadius.maxNodesPct, breachWhen: 'above', unit: '% of the stores' },
  };
}

/**
 * The worst since the evaluation before: a rule that looked at the present alone would miss what comes and goes between two.
 * And further back, for the samples which that evaluation could not have: they came late, or stand for the scrape after it.
 */
function ruleOf(cluster: string, guardrail: string, { query, scrapeIntervalSeconds, ...limit }: Limit): AlertRule {
  const [worst, beyond] = limit.breachWhen === 'above' ? ['max_over_time', '>'] : ['min_over_time', '<'];
  // A query may end in a comment.
  const windowSeconds = RULE_EVALUATION_SECONDS + scrapeIntervalSeconds + LATE_SAMPLE_SECONDS;
  const over = `${worst}((\n${query}\n)[${windowSeconds}s:${scrapeIntervalSeconds}s])`;
  return {
    alert: alertNameOf(guardrail),
    expr: `${over} ${beyond} ${limit.limit}`,
    labels: { cluster: literal(cluster), guardrail: literal(guardrail), severity: 'CRITICAL' },
    annotations: {
      summary: `${literal(guardrail)} is {{ printf "%.4g" $value }} ${literal(`${limit.unit}, ${limit.breachWhen} ${limit.limit} ${limit.unit}`)}`,
    },
  };
}

/** `errorRatePct` → `HoldfastErrorRatePct`. */
export function alertNameOf(guardrail: string): string {
  return `Holdfast${guardrail.charAt(0).toUpperCase()}${guardrail.slice(1)}`.replaceAll(/[^A-Za-z0-9_]/g, '_');
}

/** Labels and annotations are templates; a configuration's own texts are not. */
function literal(text: string): string {
  return /[{}]/.test(text) ? `{{ ${JSON.stringify(text.toWellFormed())} }}` : text;
}
