import { type Control, guardrailsOf, type Source, type Watched } from './guardrail-queries.ts';
import { type Check, STEADY } from './hypothesis.ts';
import type { Measure } from './measures.ts';
import { rangesOf } from './promql.ts';
import { LOOK_ON_SECONDS, MAX_LOOK_ON_SECONDS, SCRAPES_IN_RANGE } from './timing.ts';

/** What a check asks of Prometheus. */

export type TelemetryMeasure = Extract<Measure, { kind: 'PROMQL' | 'ALERT' }>;

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

/** How far back a value of it reaches, seconds; 0 for what is as it is now, and for an alert, whose rule is not ours. */
export function longestRangeSeconds(measure: Measure): number {
  return measure.kind === 'PROMQL' ? Math.max(0, ...rangesOf(measure.query).map(({ seconds }) => seconds)) : 0;
}

/** Whether it counts at the end of the run, when a long range still holds what was before. */
function countsAtEnd({ when }: Check): boolean {
  return when === STEADY || when === 'AFTER_ROLLBACK';
}

/** How long somebody looks on after the recovery, so that no range of a check that counts then reaches back to the fault. */
export function lookOnSecondsOf(checks: readonly Check[]): number {
  const longest = Math.max(0, ...checks.filter(countsAtEnd).map(({ measure }) => longestRangeSeconds(measure)));
  return Math.min(Math.max(LOOK_ON_SECONDS, Math.ceil(longest) + 1), MAX_LOOK_ON_SECONDS);
}

/** Ranges over too few scrapes, or longer than anybody looks on where that matters, in words. */
export function wrongRangesOf(check: Check, { telemetry }: Pick<Watched, 'telemetry'>): string[] {
  const { measure } = check;
  if (measure.kind !== 'PROMQL') return [];
  const ranges = rangesOf(measure.query);
  const long = ranges
    .filter(({ seconds }) => countsAtEnd(check) && seconds >= MAX_LOOK_ON_SECONDS)
    .map(({ text }) => `has the range ${text}: nobody looks on until it holds nothing of the fault any more`);
  const leastSeconds = SCRAPES_IN_RANGE * (measure.scrapeIntervalSeconds ?? telemetry.scrapeIntervalSeconds);
  const short = ranges
    .filter(({ seconds }) => !(seconds >= leastSeconds))
    .map(({ text }) => `has the range ${text}, shorter than four scrapes: ${leastSeconds} s or more`);
  return [...short, ...long];
}
