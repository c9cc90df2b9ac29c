import type { Watched } from '../domain/guardrail-queries.ts';
import { type Check, fieldOfCheck, type Hypothesis } from '../domain/hypothesis.ts';
import { wrongRangesOf } from '../domain/measure-queries.ts';
import { isInTelemetry } from '../domain/measures.ts';
import type { FieldError } from '../domain/problem.ts';
import { MAX_LOOK_ON_SECONDS } from '../domain/timing.ts';
import type { Engine } from '../engines/engine.ts';

type KnownMeasures = Pick<Engine, 'probeMeasures' | 'healthMeasures'>;

/** Checks of the cluster that its engine does not measure, or not in that unit, and queries over too few scrapes. */
export function measureErrors(
  hypothesis: Hypothesis,
  clusterName: string,
  cluster: Pick<Watched, 'telemetry'>,
  engine: KnownMeasures,
): FieldError[] {
  return hypothesis.checks.flatMap((check, position) => {
    if (check.cluster !== clusterName) return [];
    const place = fieldOfCheck(hypothesis, position);
    return errorsOf(check, cluster, engine).map((error) => ({ ...error, field: `${place}.${error.field}` }));
  });
}

function errorsOf(
  check: Check,
  cluster: Pick<Watched, 'telemetry'>,
  { probeMeasures, healthMeasures }: KnownMeasures,
): FieldError[] {
  const { measure, tolerance } = check;
  if (isInTelemetry(measure)) {
    return wrongRangesOf(check, cluster).map((message) => ({
      ...{
        field: 'measure.query',
        message,
        allowed: `ranges over at least four scrapes; in what counts at the end shorter than ${MAX_LOOK_ON_SECONDS} s`,
      },
    }));
  }
  if (measure.kind === 'PROBE') {
    if (probeMeasures.includes(measure.name)) return [];
    const message = `is not measured there: ${measure.name}`;
    return [{ field: 'measure.name', message, allowed: probeMeasures.join(', ') }];
  }
  const known = Object.hasOwn(healthMeasures, measure.name) ? healthMeasures[measure.name] : undefined;
  if (!known) {
    const allowed = Object.keys(healthMeasures).join(', ');
    return [{ field: 'measure.name', message: `is not known of this engine: ${measure.name}`, allowed }];
  }
  if (known.unit === tolerance.unit) return [];
  const message = `is ${tolerance.unit}, the measure is in ${known.unit}`;
  return [{ field: 'tolerance.unit', message, allowed: known.unit }];
}
