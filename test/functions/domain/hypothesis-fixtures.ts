import type { Check, Hypothesis } from '../../../functions/domain/hypothesis.ts';
import type { Measure } from '../../../functions/domain/measures.ts';

/** Consumer lag as a team might measure it. */
export const LAG: Measure = {
  ...{ kind: 'PROMQL', query: 'max(lag_ms)', freshness: 'lag_ms', control: 'count(lag_ms)' },
};
export const WRITE_LATENCY: Measure = { kind: 'PROBE', name: 'writeLatencyMs', quantile: 0.99 };

/** A check of the lag, at most 100 ms at all times, but for what is changed. */
export function checkOf(changes: Partial<Check> = {}): Check {
  return {
    ...{ name: 'lag', cluster: 'redis-master', measure: LAG, tolerance: { atMost: 100, unit: 'ms' } },
    ...{ when: 'THROUGHOUT', ...changes },
  };
}

export function hypothesisOf(...checks: Check[]): Hypothesis {
  return { statement: 'nobody notices', baselineSeconds: 60, checks };
}

/** What a payload's `expectedAlerts` makes of one. */
export function expectedAlert(name: string, withinSeconds = 30): Check {
  return checkOf({
    ...{ name, measure: { kind: 'ALARM', alarm: name }, tolerance: { atLeast: 1, unit: 'alarms' } },
    ...{ when: 'HAPPENS', withinSeconds },
  });
}
