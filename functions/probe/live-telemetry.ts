import type { Clock } from '../domain/clock.ts';
import type { Check } from '../domain/hypothesis.ts';
import { sourceOfMeasure } from '../domain/measure-queries.ts';
import { isInTelemetry } from '../domain/measures.ts';
import type { TelemetryConfiguration } from '../domain/telemetry.ts';
import type { Telemetry } from '../telemetry/prometheus.ts';

/** Whoever asks once a second asks a little sooner now and then. */
const EARLY_MS = 200;

/** A cluster, and how its Prometheus is asked. */
export interface LiveTelemetry {
  telemetry: TelemetryConfiguration;
  prometheus: Pick<Telemetry, 'read'>;
}

/**
 * Reads checks that are in telemetry as they are now; undefined when one cannot be read, or is too old. Never rejects.
 * Each is asked for as often as its source is scraped: in between, nobody would learn anything.
 */
export function liveTelemetry(
  clusters: Readonly<Record<string, LiveTelemetry>>,
  clock: Pick<Clock, 'monotonicMs'>,
): (check: Check) => Promise<number | undefined> {
  const last = new Map<string, { askedMs: number; value: number | undefined }>();
  return async ({ name, cluster, measure }) => {
    const own = clusters[cluster];
    if (!own || !isInTelemetry(measure)) return undefined;
    const source = sourceOfMeasure(measure, own);
    const before = last.get(name);
    const nowMs = clock.monotonicMs();
    if (before && nowMs - before.askedMs < source.scrapeIntervalSeconds * 1000 - EARLY_MS) return before.value;
    const read = await own.prometheus.read(source).catch(() => ({ value: 0, ageSeconds: Number.NaN }));
    const value = read.ageSeconds <= source.maxAgeSeconds ? read.value : undefined;
    last.set(name, { askedMs: nowMs, value });
    return value;
  };
}
