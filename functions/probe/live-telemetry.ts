import type { Check } from '../domain/hypothesis.ts';
import { sourceOfMeasure } from '../domain/measure-queries.ts';
import { isInTelemetry } from '../domain/measures.ts';
import type { TelemetryConfiguration } from '../domain/telemetry.ts';
import type { Telemetry } from '../telemetry/prometheus.ts';

/** A cluster, and how its Prometheus is asked. */
export interface LiveTelemetry {
  telemetry: TelemetryConfiguration;
  prometheus: Pick<Telemetry, 'read'>;
}

/** The value of a check that is in telemetry, as it is now; undefined when it cannot be read, or is too old. Never rejects. */
export async function readNow(
  { cluster, measure }: Check,
  clusters: Readonly<Record<string, LiveTelemetry>>,
): Promise<number | undefined> {
  const own = clusters[cluster];
  if (!own || !isInTelemetry(measure)) return undefined;
  const source = sourceOfMeasure(measure, own);
  const { value, ageSeconds } = await own.prometheus.read(source).catch(() => ({ value: 0, ageSeconds: Number.NaN }));
  return ageSeconds <= source.maxAgeSeconds ? value : undefined;
}
