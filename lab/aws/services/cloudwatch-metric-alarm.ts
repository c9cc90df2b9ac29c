import { isObject, type JsonObject } from '../protocol/json.ts';
import { objectList, requiredString } from '../protocol/service.ts';
import type { Resource } from '../template/template.ts';

/** One value of a metric, and when it arrived. */
export interface Sample {
  atMs: number;
  value: number;
}

/** One metric: namespace, name and dimensions as one text. */
export function metricKey(namespace: string, metricName: string, dimensions: readonly JsonObject[]): string {
  const sorted = dimensions.map(({ Name, Value }) => `${Name}=${Value}`).sort();
  return [namespace, metricName, ...sorted].join(' ');
}

/**
 * An alarm of the template over `FILL(metric, 0)` of the sum of samples: the one shape that the product has and that
 * the lab computes. All other alarms are set through the control socket.
 */
export class MetricAlarm {
  readonly name: string;
  readonly metric: string;
  readonly #periodMs: number;
  readonly #periods: number;
  readonly #threshold: number;

  constructor({ name, logicalId, properties }: Resource) {
    const [stat, ...others] = objectList(properties.Metrics).filter(({ MetricStat }) => isObject(MetricStat));
    const { MetricStat, Id } = stat ?? {};
    const metric = isObject(MetricStat) && isObject(MetricStat.Metric) ? MetricStat.Metric : {};
    const expression = objectList(properties.Metrics).find((each) => typeof each.Expression === 'string')?.Expression;
    const isKnown =
      others.length === 0 &&
      expression === `FILL(${Id}, 0)` &&
      isObject(MetricStat) &&
      MetricStat.Stat === 'Sum' &&
      properties.ComparisonOperator === 'LessThanThreshold' &&
      properties.TreatMissingData === 'breaching' &&
      properties.DatapointsToAlarm === undefined;
    if (!isKnown) throw new Error(`${logicalId}: the lab computes no alarm like ${JSON.stringify(properties)}`);
    this.name = name;
    this.metric = metricKey(
      requiredString(metric, 'Namespace'),
      requiredString(metric, 'MetricName'),
      objectList(metric.Dimensions),
    );
    this.#periodMs = Number(MetricStat.Period) * 1000;
    this.#periods = Number(properties.EvaluationPeriods);
    this.#threshold = Number(properties.Threshold);
  }

  /** Looks at whole periods of the clock only, as CloudWatch does: ALARM when all of the last ones are breaching. */
  isBreached(samples: readonly Sample[], nowMs: number): boolean {
    const endMs = Math.floor(nowMs / this.#periodMs) * this.#periodMs;
    return Array.from({ length: this.#periods }, (_, index) => endMs - (index + 1) * this.#periodMs).every((fromMs) => {
      const inPeriod = samples.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + this.#periodMs);
      return inPeriod.reduce((sum, { value }) => sum + value, 0) < this.#threshold;
    });
  }
}
