import type { CheckChange } from './audit-entry.ts';
import { type Check, mustHoldBefore } from './hypothesis.ts';
import {
  isInTelemetry,
  isOverRun,
  isWithin,
  type Measure,
  PROBE_WINDOW_SECONDS,
  type ProbeMeasureName,
  type Tolerance,
  toleranceText,
  worstOf,
} from './measures.ts';
import { dueIn, latencyMs, quantileOf, roundedMs, type TimedOperation } from './open-loop.ts';
import type { CheckObservation, CheckReading } from './workflow.ts';

/** What checks see of one shard through its probe, second by second. */

/** The probe's client of the shard. Times of operations by the clock whose now is `nowMs`. */
export interface ShardView {
  writes: readonly TimedOperation[];
  reads: readonly TimedOperation[];
  /** From when a record was due to be written until it was consumed; empty for a store without consumers. */
  consumes: readonly TimedOperation[];
  /** The engine's health at seconds since the epoch. */
  health: readonly { second: number; values: Readonly<Record<string, number>> }[];
  nowMs: number;
  /** Milliseconds since the epoch when that clock says 0. */
  epochOffsetMs: number;
}

/** Whether the probe gives a value of it each second. */
export function isProbed({ measure }: Pick<Check, 'measure'>): boolean {
  return !isInTelemetry(measure) && !isOverRun(measure) && measure.kind !== 'ALARM';
}

/** Those that the probe must see hold before anything is injected. */
export function probedBefore(checks: readonly Check[]): Check[] {
  return checks.filter((check) => isProbed(check) && mustHoldBefore(check.when));
}

/**
 * The measure at a second that is over: of a latency its quantile over the operations that were due in the window that
 * ends with it, of the engine's health what it said in that second.
 * @returns undefined when it is not known, as before a whole window was seen
 */
export function valueAt(measure: Measure, second: number, view: ShardView): number | undefined {
  if (measure.kind === 'ENGINE') return view.health.findLast((look) => look.second === second)?.values[measure.name];
  if (measure.kind !== 'PROBE' || measure.quantile === undefined) return undefined;
  const operations = operationsOf(measure.name, view);
  const fromMs = (second + 1 - PROBE_WINDOW_SECONDS) * 1000 - view.epochOffsetMs;
  // Nobody knows what came before the first write; the first read was due with its answer.
  const [first] = view.writes;
  if (!operations || !first || first.dueMs > fromMs) return undefined;
  const due = dueIn(operations, fromMs, fromMs + PROBE_WINDOW_SECONDS * 1000);
  const ascending = due.map((operation) => latencyMs(operation, view.nowMs)).sort((one, other) => one - other);
  const value = quantileOf(ascending, measure.quantile);
  return value === undefined ? undefined : roundedMs(value);
}

function operationsOf(
  name: ProbeMeasureName,
  { writes, reads, consumes }: ShardView,
): readonly TimedOperation[] | undefined {
  switch (name) {
    case 'writeLatencyMs':
      return writes;
    case 'readLatencyMs':
      return reads;
    case 'consumerLagMs':
      return consumes;
    default:
      return undefined;
  }
}

/** The first second of which a value of every latency is known; undefined before the first operation. */
export function firstWindowSecond({ writes, epochOffsetMs }: ShardView): number | undefined {
  const [first] = writes;
  return first && Math.ceil((first.dueMs + epochOffsetMs) / 1000) + PROBE_WINDOW_SECONDS - 1;
}

/** What the checks were over the window that ends with that second. The worst of it; unknown at any time is unknown. */
export function readBefore(checks: readonly Check[], second: number, view: ShardView): CheckReading[] {
  return checks.map(({ name, measure, tolerance }) => {
    const seconds =
      measure.kind === 'ENGINE' ? Array.from({ length: PROBE_WINDOW_SECONDS }, (_, index) => second - index) : [second];
    const values = seconds.flatMap((each) => valueAt(measure, each, view) ?? []);
    if (values.length < seconds.length) {
      return { check: name, held: false, reason: `was not known at ${seconds.length - values.length} s of its window` };
    }
    const value = worstOf(tolerance, values);
    const held = isWithin(tolerance, value);
    const reason = `is ${value} ${tolerance.unit}, it must be ${toleranceText(tolerance)}`;
    return { check: name, value, held, ...(held ? {} : { reason }) };
  });
}

/** Values of these checks at each second, from that of the first operation until before that of the last one. */
export function observeAll(checks: readonly Check[], view: ShardView): Omit<CheckObservation, 'probed'> | undefined {
  const [first, last] = [view.writes[0], view.writes.at(-1)];
  const probed = checks.filter(isProbed);
  if (!first || !last || probed.length === 0) return undefined;
  const secondOf = ({ dueMs }: TimedOperation) => Math.floor((dueMs + view.epochOffsetMs) / 1000);
  const fromSecond = secondOf(first);
  const lengthSeconds = secondOf(last) - fromSecond;
  const seconds = Array.from({ length: lengthSeconds }, (_, index) => fromSecond + index);
  const series = probed.map(({ name, measure }) => {
    const values = seconds.map((second) => valueAt(measure, second, view) ?? null);
    const isMissing = values.includes(null, PROBE_WINDOW_SECONDS);
    const problem = measure.kind === 'ENGINE' ? `the store did not say its ${measure.name}` : 'nothing was measured';
    return { check: name, values, ...(isMissing ? { problem } : {}) };
  });
  return { fromSecond, series };
}

/** How a check stands that has these values, one a shard or series; undefined: unknown. One that is out decides. */
export function standing(tolerance: Tolerance, values: readonly (number | undefined)[]): Omit<CheckChange, 'check'> {
  const known = values.filter((value) => value !== undefined);
  const state = known.some((value) => !isWithin(tolerance, value))
    ? 'FAILS'
    : known.length === 0 || known.length < values.length
      ? 'UNKNOWN'
      : 'HOLDS';
  return { state, ...(known.length === 0 ? {} : { value: worstOf(tolerance, known) }) };
}
