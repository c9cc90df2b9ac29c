import * as z from 'zod';
import { isClosed } from './promql.ts';
import { alarmName, selector } from './telemetry.ts';
import { SCRAPE_INTERVAL_SECONDS } from './timing.ts';

/** What an experiment may look at beside the guardrails, and in which unit. */

/** A latency is known up to here; what failed, or took longer, counts as this. Milliseconds. */
export const MAX_LATENCY_MS = 60_000;
/** A value of the probe at some second is over so many seconds, that one included. */
export const PROBE_WINDOW_SECONDS = 5;

interface ProbeMeasure {
  unit: string;
  /** `window`: a value each second, over the past `PROBE_WINDOW_SECONDS`; `run`: one value of the whole run. */
  over: 'window' | 'run';
}

/** What a client of a shard can know. An engine says which of them its probe measures. */
export const PROBE_MEASURES = {
  writeLatencyMs: { unit: 'ms', over: 'window' },
  readLatencyMs: { unit: 'ms', over: 'window' },
  /** From the produce to the consume of a record. */
  consumerLagMs: { unit: 'ms', over: 'window' },
  rtoSeconds: { unit: 's', over: 'run' },
  unavailableSeconds: { unit: 's', over: 'run' },
  lostAcknowledgedWrites: { unit: 'writes', over: 'run' },
  /** Reads that gave something older than what their own client had been promised. */
  staleReads: { unit: 'reads', over: 'run' },
  duplicatedRecords: { unit: 'records', over: 'run' },
  reorderedRecords: { unit: 'records', over: 'run' },
  /** Of the lost ones: an earlier write has their place, by a timestamp that is no older. */
  overwrittenWrites: { unit: 'writes', over: 'run' },
  /** Of the lost ones: what they had removed or replaced is back. */
  resurrectedWrites: { unit: 'writes', over: 'run' },
  /** Of a client that knows one node only, and has no acknowledgement from it. */
  unacknowledgedWrites: { unit: 'writes', over: 'run' },
} as const satisfies Record<string, ProbeMeasure>;
export type ProbeMeasureName = keyof typeof PROBE_MEASURES;
export const PROBE_MEASURE_NAMES = Object.keys(PROBE_MEASURES) as [ProbeMeasureName, ...ProbeMeasureName[]];

const promQl = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'has characters that are not shown')
  // It stands inside of ours.
  .refine(isClosed, 'has a bracket, a quote or a comment that is not closed');
const MEASURE_NAME = /^[A-Za-z][A-Za-z0-9]{0,49}$/;
/** In a query between quotes: nothing that ends them. */
const ALERT_NAME = /^[A-Za-z0-9_][A-Za-z0-9_ .:-]{0,99}$/;

export const measureSchema = z.discriminatedUnion('kind', [
  /** One series of the cluster's Prometheus, as a guardrail of that kind reads it. */
  z.strictObject({
    kind: z.literal('PROMQL'),
    query: promQl,
    /** The series behind `query`: a value is as old as the newest sample of the stalest of them. */
    freshness: selector,
    /** More than 0 only while `query` could be out of its tolerance. */
    control: promQl,
    scrapeIntervalSeconds: z.int().min(SCRAPE_INTERVAL_SECONDS.min).max(SCRAPE_INTERVAL_SECONDS.max).exactOptional(),
  }),
  /** How many instances of an alerting rule of the cluster's Prometheus are firing. */
  z.strictObject({ kind: z.literal('ALERT'), alert: z.string().regex(ALERT_NAME, 'is not the name of an alert') }),
  /** Of the worst of the cluster's impacted shards. */
  z.strictObject({
    kind: z.literal('PROBE'),
    name: z.enum(PROBE_MEASURE_NAMES),
    quantile: z.number().gt(0).lt(1).exactOptional(),
  }),
  /** What the engine says of the health of a shard, see `healthMeasures` of its port; of the worst impacted shard. */
  z.strictObject({ kind: z.literal('ENGINE'), name: z.string().regex(MEASURE_NAME, 'is not the name of a measure') }),
]);
/**
 * An alarm of CloudWatch, or an alert that an Alertmanager sent, which reached us: what `expectedAlerts` of a payload is made
 * into.
 */
export const alarmMeasureSchema = z.strictObject({ kind: z.literal('ALARM'), alarm: alarmName });
export type Measure = z.output<typeof measureSchema> | z.output<typeof alarmMeasureSchema>;
/** Of an expected alert. */
export const ALARMS_UNIT = 'alarms';

export interface Tolerance {
  atLeast?: number;
  atMost?: number;
  unit: string;
}

/** The mission's steady state: what a person means without having to spell it out. */
export const PRESETS = {
  WRITE_LATENCY_P99: preset('writeLatencyMs', 50, 0.99),
  READ_LATENCY_P99: preset('readLatencyMs', 15, 0.99),
  CONSUMER_LAG_P99: preset('consumerLagMs', 100, 0.99),
  NO_LOSS: preset('lostAcknowledgedWrites', 0),
} as const satisfies Record<string, { measure: Measure; tolerance: Tolerance }>;
export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as [PresetName, ...PresetName[]];

function preset(name: ProbeMeasureName, atMost: number, quantile?: number): { measure: Measure; tolerance: Tolerance } {
  return {
    measure: { kind: 'PROBE', name, ...(quantile === undefined ? {} : { quantile }) },
    tolerance: { atMost, unit: PROBE_MEASURES[name].unit },
  };
}

/** Undefined where the measure itself does not say it: of PromQL the tolerance does, of a store its engine. */
export function unitOf(measure: Measure): string | undefined {
  if (measure.kind === 'PROBE') return PROBE_MEASURES[measure.name].unit;
  if (measure.kind === 'ALARM') return ALARMS_UNIT;
  return measure.kind === 'ALERT' ? 'alerts' : undefined;
}

/** One value of the whole run, known at its end. */
export function isOverRun(measure: Measure): boolean {
  return measure.kind === 'PROBE' && PROBE_MEASURES[measure.name].over === 'run';
}

/** Read from Prometheus; the others are measured by the probe. */
export function isInTelemetry(measure: Measure): measure is Extract<Measure, { kind: 'PROMQL' | 'ALERT' }> {
  return measure.kind === 'PROMQL' || measure.kind === 'ALERT';
}

/** Whether an alerting rule can have that name. */
export function isAlertName(name: string): boolean {
  return ALERT_NAME.test(name);
}

/** For a person. */
export function measureText(measure: Measure): string {
  switch (measure.kind) {
    case 'PROMQL':
      return measure.query;
    case 'ALERT':
      return `alert ${measure.alert}`;
    case 'ALARM':
      return `arrival of ${measure.alarm}`;
    case 'PROBE':
      return measure.quantile === undefined
        ? measure.name
        : `${measure.name} P${Math.round(measure.quantile * 100_000) / 1000}`;
    case 'ENGINE':
      return measure.name;
  }
}

export function isWithin({ atLeast = -Infinity, atMost = Infinity }: Tolerance, value: number): boolean {
  return value >= atLeast && value <= atMost;
}

/** The one that is furthest out, or nearest to it. @returns NaN of none */
export function worstOf(tolerance: Tolerance, values: readonly number[]): number {
  const out = ({ atLeast = -Infinity, atMost = Infinity }: Tolerance, value: number) =>
    Math.max(value - atMost, atLeast - value);
  return values.reduce(
    (worst, value) => (out(tolerance, value) > out(tolerance, worst) ? value : worst),
    values[0] ?? Number.NaN,
  );
}

/** For a person: `at most 50 ms`. */
export function toleranceText({ atLeast, atMost, unit }: Tolerance): string {
  const parts = [
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`]),
  ];
  return `${parts.join(' and ')} ${unit}`;
}
