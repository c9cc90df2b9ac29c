import type { Cluster } from '../domain/configuration.ts';
import type { Watched } from '../domain/guardrail-queries.ts';
import { type Check, fieldOfCheck, type Hypothesis } from '../domain/hypothesis.ts';
import { wrongRangesOf } from '../domain/measure-queries.ts';
import { isAlertName, isInTelemetry } from '../domain/measures.ts';
import type { FieldError } from '../domain/problem.ts';
import { MAX_LOOK_ON_SECONDS } from '../domain/timing.ts';
import type { Engine } from '../engines/engine.ts';

type KnownMeasures = Pick<Engine, 'probeMeasures' | 'healthMeasures'>;

/** Checks of the cluster that its engine does not measure, or not in that unit, and queries over too few scrapes. */
export function measureErrors(
  hypothesis: Hypothesis,
  clusterName: string,
  cluster: Pick<Watched, 'telemetry'> & Pick<Cluster, 'alarms'>,
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
  cluster: Pick<Watched, 'telemetry'> & Pick<Cluster, 'alarms'>,
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
  if (measure.kind === 'ALARM') {
    const alarms = cluster.alarms.map(({ name }) => name);
    if (alarms.includes(measure.alarm) || isAlertName(measure.alarm)) return [];
    const message = 'is no alarm of the cluster, and no name of an alerting rule';
    return [{ field: 'name', message, allowed: alarms.join(', ') || 'an alerting rule: the cluster has no alarms' }];
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
