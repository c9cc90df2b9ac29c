import type { Watched } from '../domain/guardrail-queries.ts';
import { type Check, type Hypothesis, mustHoldBefore } from '../domain/hypothesis.ts';
import { sourceOfMeasure } from '../domain/measure-queries.ts';
import { isInTelemetry, isWithin, toleranceText, worstOf } from '../domain/measures.ts';
import type { CheckReading } from '../domain/workflow.ts';
import type { Telemetry } from './prometheus.ts';
import { failureOf } from './snapshot.ts';

/** Fewer would be a glimpse, not a steady state. */
const MIN_SAMPLES = 15;

/**
 * What the checks of one cluster that are read from Prometheus were over the baseline. Never rejects: what cannot be read
 * does not hold. One that need not hold yet must be readable all the same, or nobody would ever know.
 */
export function readChecks(
  telemetry: Telemetry,
  { name, cluster }: { name: string; cluster: Watched },
  { baselineSeconds, checks }: Hypothesis,
): Promise<CheckReading[]> {
  const own = checks.filter((check) => check.cluster === name && isInTelemetry(check.measure));
  return Promise.all(
    own.map(async (check): Promise<CheckReading> => {
      try {
        return await readCheck(telemetry, cluster, check, baselineSeconds);
      } catch (error) {
        const reason = `could not be read: ${error instanceof Error ? error.message : String(error)}`;
        return { check: check.name, held: false, reason };
      }
    }),
  );
}

async function readCheck(
  telemetry: Telemetry,
  cluster: Watched,
  { name: check, measure, tolerance, when }: Check,
  baselineSeconds: number,
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
  if (!mustHoldBefore(when)) return { check, value: now.value, held: true };
  const values = await telemetry.range(source.query, baselineSeconds);
  if (values.length < MIN_SAMPLES) {
    throw new Error(`${values.length} samples in ${baselineSeconds} s, at least ${MIN_SAMPLES}`);
  }
  const value = worstOf(tolerance, [...values, now.value]);
  if (isWithin(tolerance, value)) return { check, value, held: true };
  const reason = `was ${value} ${tolerance.unit} in the ${baselineSeconds} s before, it must be ${toleranceText(tolerance)}`;
  return { check, value, held: false, reason };
}
