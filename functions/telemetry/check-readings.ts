import { samplesOf } from '../domain/check-samples.ts';
import type { Clock } from '../domain/clock.ts';
import type { Cluster } from '../domain/configuration.ts';
import type { Watched } from '../domain/guardrail-queries.ts';
import { type Check, type Hypothesis, mustHoldBefore } from '../domain/hypothesis.ts';
import { type MeasureSource, sourceOfMeasure } from '../domain/measure-queries.ts';
import { isInTelemetry, isWithin, toleranceText, worstOf } from '../domain/measures.ts';
import type { CheckReading } from '../domain/workflow.ts';
import type { Telemetry } from './prometheus.ts';
import { failureOf } from './snapshot.ts';

/** Less would be a glimpse, not a steady state. */
const MIN_SEEN_SECONDS = 10;

/**
 * What the checks of one cluster that are read from Prometheus were over the baseline. Never rejects: what cannot be read
 * does not hold. One that need not hold yet must be readable all the same, or nobody would ever know; and what must happen
 * must not be so already.
 */
export function readChecks(
  telemetry: Telemetry,
  { name, cluster }: { name: string; cluster: Watched & Pick<Cluster, 'alarms'> },
  { baselineSeconds, checks }: Hypothesis,
  clock: Pick<Clock, 'nowEpochMs'>,
): Promise<CheckReading[]> {
  const own = checks.filter((check) => check.cluster === name);
  return Promise.all(
    own
      .flatMap((check) => readable(check, cluster))
      .map(async (check): Promise<CheckReading> => {
        try {
          return await readCheck(telemetry, cluster, check, baselineSeconds, clock);
        } catch (error) {
          const reason = `could not be read: ${error instanceof Error ? error.message : String(error)}`;
          return { check: check.name, held: false, reason };
        }
      }),
  );
}

/** An expected alert that is no alarm of CloudWatch must be a rule that works, and not be firing already. */
function readable(check: Check, { alarms }: Pick<Cluster, 'alarms'>): Check[] {
  const { measure } = check;
  if (measure.kind !== 'ALARM') return isInTelemetry(measure) ? [check] : [];
  if (alarms.some(({ name }) => name === measure.alarm)) return [];
  return [{ ...check, measure: { kind: 'ALERT', alert: measure.alarm } }];
}

async function readCheck(
  telemetry: Telemetry,
  cluster: Watched,
  { name: check, measure, tolerance, when }: Check,
  baselineSeconds: number,
  clock: Pick<Clock, 'nowEpochMs'>,
): Promise<CheckReading> {
  if (!isInTelemetry(measure)) throw new Error('is not in Prometheus');
  const source = sourceOfMeasure(measure, cluster);
  const [now, ...failures] = await Promise.all([
    telemetry.read(source),
    ...source.controls.map((control) => failureOf(telemetry, control)),
    measure.kind === 'ALERT' ? telemetry.alertProblem(measure.alert) : undefined,
  ]);
  const failed = failures.filter((failure) => failure !== undefined);
  if (failed.length > 0) throw new Error(`it could never be out of its tolerance: ${failed.join('; ')}`);
  if (now.ageSeconds > source.maxAgeSeconds) {
    throw new Error(`newest sample is ${now.ageSeconds.toFixed(1)} s old, at most ${source.maxAgeSeconds} s`);
  }
  if (when === 'HAPPENS' && isWithin(tolerance, now.value)) {
    return {
      check,
      value: now.value,
      held: false,
      reason: `is ${now.value} ${tolerance.unit} before the fault already`,
    };
  }
  if (!mustHoldBefore(when)) return { check, value: now.value, held: true };
  const values = await baseline(telemetry, source, baselineSeconds, clock.nowEpochMs());
  const value = worstOf(tolerance, [...values, now.value]);
  if (isWithin(tolerance, value)) return { check, value, held: true };
  const reason = `was ${value} ${tolerance.unit} in the ${baselineSeconds} s before, it must be ${toleranceText(tolerance)}`;
  return { check, value, held: false, reason };
}

/**
 * Every sample of the baseline, which may have begun a short time ago.
 * @throws Error where it was not sampled for longer than may pass between two samples
 */
async function baseline(
  telemetry: Telemetry,
  source: MeasureSource,
  seconds: number,
  nowMs: number,
): Promise<number[]> {
  const fromMs = nowMs - seconds * 1000;
  const values = samplesOf(await telemetry.history(source, fromMs, nowMs), Math.floor(fromMs / 1000));
  const sampled = values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  const [first, last] = [sampled[0]?.index ?? 0, sampled.at(-1)?.index ?? 0];
  if (last - first < MIN_SEEN_SECONDS) {
    throw new Error(`was sampled over ${last - first} of the past ${seconds} s, at least ${MIN_SEEN_SECONDS}`);
  }
  const gaps = sampled.map(({ index }, position) => index - (sampled[position - 1]?.index ?? index));
  const longestGap = Math.max(...gaps);
  if (longestGap > source.maxAgeSeconds) {
    throw new Error(`was not sampled for ${longestGap} of the past ${seconds} s, at most ${source.maxAgeSeconds} s`);
  }
  return sampled.map(({ value }) => value);
}
