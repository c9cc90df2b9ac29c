import * as z from 'zod';
import { type Measure, measureSchema, PRESET_NAMES, type Tolerance } from './measures.ts';
import { alarmName } from './telemetry.ts';
import { RECOVERY_SECONDS, TTL_SECONDS } from './timing.ts';

/** The steady state and the hypothesis of an experiment, as a payload says them and as the run carries them. */

export const MAX_CHECKS = 20;
export const BASELINE_SECONDS = { min: 15, max: 600, default: 60 } as const;

/**
 * When a check must hold.
 *
 * - `BEFORE`: over the baseline; if not, nothing is injected.
 * - `THROUGHOUT`: as `BEFORE`, and at each second from the first fault until the recovery is verified.
 * - `AFTER_FAULT`: from at most `withinSeconds` after the last faults began until they end.
 * - `AFTER_ROLLBACK`: from at most `withinSeconds` after the faults were lifted until nobody looks any more.
 * - `HAPPENS`: at some second, at most `withinSeconds` after the first faults began, and not before.
 */
export const CHECK_TIMES = ['BEFORE', 'THROUGHOUT', 'AFTER_FAULT', 'AFTER_ROLLBACK', 'HAPPENS'] as const;
type CheckTime = (typeof CHECK_TIMES)[number];
/** Of a measure of the steady state: as `BEFORE`, and again at the end. */
export const STEADY = 'STEADY';

export interface Check {
  /** Another one for each check of the experiment. */
  name: string;
  cluster: string;
  measure: Measure;
  tolerance: Tolerance;
  when: CheckTime | typeof STEADY;
  withinSeconds?: number;
}

export interface Hypothesis {
  statement?: string;
  /** How long the steady state is looked at before the fault. Seconds. */
  baselineSeconds: number;
  /** Those of the steady state first, expected alerts last. */
  checks: Check[];
}

/** What a person sees as it is: nothing that a terminal obeys, that is not shown, or that turns the rest around. */
function plainText(maxCharacters: number) {
  return z
    .string()
    .max(maxCharacters, 'is too long')
    .regex(
      /^(?=\S)[^\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]*(?<=\S)$/u,
      'is empty, begins or ends with a space, or has characters that are not shown',
    );
}

const tolerance = z.strictObject({
  atLeast: z.number().exactOptional(),
  atMost: z.number().exactOptional(),
  unit: plainText(20),
});
/** With `preset` instead of the three after it. */
const measured = {
  name: plainText(60).exactOptional(),
  preset: z.enum(PRESET_NAMES).exactOptional(),
  measure: measureSchema.exactOptional(),
  tolerance: tolerance.exactOptional(),
  /** Needed where the experiment touches several. */
  cluster: z.string().exactOptional(),
};
const steadyMeasure = z.strictObject(measured);
const withinSeconds = z.int().min(1).max(Math.max(TTL_SECONDS.max, RECOVERY_SECONDS.max));
const check = z.strictObject({
  ...measured,
  when: z.enum(CHECK_TIMES).exactOptional(),
  withinSeconds: withinSeconds.exactOptional(),
});
const expectedAlert = z.strictObject({ name: alarmName, cluster: z.string().exactOptional(), withinSeconds });
export type CheckInput = z.output<typeof check>;

const list = <T extends z.ZodType>(item: T) =>
  z.array(item).min(1, 'is empty').max(MAX_CHECKS, `has more than ${MAX_CHECKS}`);
export const steadyStateSchema = z.strictObject({
  baselineSeconds: z.int().min(BASELINE_SECONDS.min).max(BASELINE_SECONDS.max).default(BASELINE_SECONDS.default),
  measures: list(steadyMeasure),
});
export const hypothesisSchema = z.strictObject({ statement: plainText(500), checks: list(check) });
/** Alarms that must reach us because of the fault, and so do not end it. */
export const expectedAlertsSchema = list(expectedAlert);
export type SteadyStateInput = z.output<typeof steadyStateSchema>;
export type HypothesisInput = z.output<typeof hypothesisSchema>;
export type ExpectedAlertsInput = z.output<typeof expectedAlertsSchema>;

/** What these fields may hold, in words; the keys are paths from the payload, without positions. */
export const HYPOTHESIS_ALLOWED: Record<string, string> = {
  steadyState: 'an object with measures and baselineSeconds; left out: only the guardrails',
  'steadyState.baselineSeconds': `a whole number from ${BASELINE_SECONDS.min} to ${BASELINE_SECONDS.max}; left out: ${BASELINE_SECONDS.default}`,
  'steadyState.measures': `1-${MAX_CHECKS} measures, each a preset, or name, measure and tolerance`,
  hypothesis: 'an object with statement and checks',
  'hypothesis.statement': '1-500 characters: what you expect, in words',
  'hypothesis.checks': `1-${MAX_CHECKS} checks, each a preset, or name, measure, tolerance and when`,
  ...allowedOf('steadyState.measures'),
  ...allowedOf('hypothesis.checks'),
  'hypothesis.checks.when': `${CHECK_TIMES.join(', ')}; left out beside a preset: THROUGHOUT`,
  'hypothesis.checks.withinSeconds': 'a whole number of seconds, with AFTER_FAULT, AFTER_ROLLBACK and HAPPENS only',
  expectedAlerts: `1-${MAX_CHECKS} alerts, each with name and withinSeconds: they must arrive, and do not end the experiment`,
  'expectedAlerts.name': 'an alarm of the cluster in CloudWatch, or an alerting rule of its Prometheus',
  'expectedAlerts.cluster': 'a cluster of the experiment; may be left out where it has one only',
  'expectedAlerts.withinSeconds':
    'a whole number of seconds from the announcement of the fault, not beyond durationSeconds',
};

function allowedOf(place: string): Record<string, string> {
  const words = {
    name: '1-60 characters, another one for each check; left out beside a preset: its name',
    preset: PRESET_NAMES.join(', '),
    measure: 'an object with kind: PROMQL, ALERT, PROBE or ENGINE',
    'measure.kind': 'PROMQL, ALERT, PROBE, ENGINE',
    'measure.query': 'PromQL that gives one series, 1-1000 characters',
    'measure.freshness': 'the series behind the query: the name of a metric, with matchers if need be',
    'measure.control': 'PromQL that is more than 0 only while the query could be out of its tolerance',
    'measure.scrapeIntervalSeconds': `a whole number from 1 to 30; left out: the cluster's`,
    'measure.alert': 'the name of an alerting rule in the Prometheus of the cluster',
    'measure.name': 'of a PROBE one of its measures, of an ENGINE one that the engine of the cluster knows',
    'measure.quantile': 'of a latency or a lag of the PROBE, and of these alone: more than 0 and less than 1',
    tolerance: 'an object with atLeast, atMost or both, and unit',
    'tolerance.atLeast': 'a number that the measure can be below',
    'tolerance.atMost': 'a number that the measure can be above, and not below atLeast',
    'tolerance.unit': 'the unit of the measure',
    cluster: 'a cluster of the experiment; may be left out where it has one only',
  };
  return Object.fromEntries(Object.entries(words).map(([field, allowed]) => [`${place}.${field}`, allowed]));
}

/** Whether nothing is injected unless it holds. */
export function mustHoldBefore(when: Check['when']): boolean {
  return when === 'BEFORE' || when === 'THROUGHOUT' || when === STEADY;
}

/** Where the payload says that check. @param position in `checks` */
export function fieldOfCheck({ checks }: Hypothesis, position: number): string {
  const steady = checks.filter(({ when }) => when === STEADY).length;
  const expected = checks.findIndex(({ measure }) => measure.kind === 'ALARM');
  if (expected >= 0 && position >= expected) return `expectedAlerts.${position - expected}`;
  return position < steady ? `steadyState.measures.${position}` : `hypothesis.checks.${position - steady}`;
}
