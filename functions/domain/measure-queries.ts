import { type Control, guardrailsOf, type Source, type Watched } from './guardrail-queries.ts';
import type { Measure } from './measures.ts';
import { rangesOf } from './promql.ts';
import { SCRAPES_IN_RANGE } from './timing.ts';

/** What a check asks of Prometheus. */

type TelemetryMeasure = Extract<Measure, { kind: 'PROMQL' | 'ALERT' }>;

export interface MeasureSource extends Source {
  controls: Control[];
}

/** Read and controlled as a guardrail of one's own is. */
export function sourceOfMeasure(measure: TelemetryMeasure, { telemetry }: Pick<Watched, 'telemetry'>): MeasureSource {
  const { kind: _, ...asked } =
    measure.kind === 'PROMQL'
      ? measure
      : {
          ...measure,
          query: `count(ALERTS{alertname="${measure.alert}",alertstate="firing"}) or vector(0)`,
          // An alert that does not fire has no series: that Prometheus sees the gateways is what shows that it sees.
          freshness: telemetry.gateways,
          control: `count(${telemetry.gateways})`,
        };
  const { query, freshness, control, scrapeIntervalSeconds } = { scrapeIntervalSeconds: undefined, ...asked };
  const guardrails = {
    check: {
      ...{ kind: 'PROMQL' as const, query, freshness, control, scrapeIntervalSeconds },
      // No limit: a check has its tolerance.
      ...{ limit: 0, breachWhen: 'above' as const, unit: '' },
    },
  };
  const found = guardrailsOf({ telemetry, guardrails }).check;
  if (!found) throw new Error('a check has no query');
  return found;
}

/** Ranges over too few scrapes, in words. */
export function shortRangesOf(measure: TelemetryMeasure, { telemetry }: Pick<Watched, 'telemetry'>): string[] {
  if (measure.kind === 'ALERT') return [];
  const leastSeconds = SCRAPES_IN_RANGE * (measure.scrapeIntervalSeconds ?? telemetry.scrapeIntervalSeconds);
  return rangesOf(measure.query)
    .filter(({ seconds }) => !(seconds >= leastSeconds))
    .map(({ text }) => `has the range ${text}, shorter than four scrapes: ${leastSeconds} s or more`);
}
