import type { Cluster } from '../functions/domain/configuration.ts';
import { syntaxProblem } from '../functions/domain/promql-syntax.ts';
import { NODE, SHARD } from '../functions/domain/telemetry.ts';
import type { Configuration } from '../functions/engines/configuration.ts';

/** PromQL of a configuration that is none, a line each: its field, where, and what was read there. */
export function promQlProblems({ clusters }: Pick<Configuration, 'clusters'>): string[] {
  return Object.entries(clusters).flatMap(([name, cluster]) =>
    Object.entries(promQlOf(cluster)).flatMap(([field, promQl]) => {
      const problem = syntaxProblem(promQl);
      return problem === undefined ? [] : [`clusters.${name}.${field}: ${problem}`];
    }),
  );
}

/** Everything in it that Prometheus is asked, by its field. */
function promQlOf({ telemetry, guardrails }: Cluster): Record<string, string> {
  const { requests, writeDuration, workers, gateways, stores, trafficShareQuery } = telemetry;
  const own = Object.entries(guardrails).flatMap(([name, guardrail]): [string, string][] => {
    if (guardrail.kind !== 'PROMQL') return [];
    const { query, freshness, control } = guardrail;
    return Object.entries({ query, freshness, control }).map(([field, text]) => [`guardrails.${name}.${field}`, text]);
  });
  return {
    'telemetry.requests.metric': requests.metric,
    'telemetry.writeDuration.metric': writeDuration.metric,
    'telemetry.workers.free': workers.free,
    'telemetry.workers.max': workers.max,
    'telemetry.gateways': gateways,
    ...(stores === undefined ? {} : { 'telemetry.stores': stores }),
    ...(trafficShareQuery === undefined ? {} : { 'telemetry.trafficShareQuery': named(trafficShareQuery) }),
    ...Object.fromEntries(own),
  };
}

/** With a name of the same length in the place of a shard's or a node's, so that positions stay. */
function named(query: string): string {
  return [SHARD, NODE].reduce((text, place) => text.replaceAll(place, 'x'.repeat(place.length)), query);
}
