import type { Cluster } from './configuration.ts';
import { guardrailsOf, type Source, trafficSourcesOf } from './guardrail-queries.ts';
import type { Baseline, Reading } from './workflow.ts';

/** What one query said: a number, or why there is none. */
export interface RawReading {
  value?: number;
  /** Age of the newest sample of the stalest series, by Prometheus's own clock. Seconds. */
  ageSeconds?: number;
  problem?: string;
}

/** Everything that one evaluation looks at, read at the same time. */
export interface TelemetrySnapshot {
  guardrails: Record<string, RawReading>;
  liveGateways: RawReading;
  requestRate: RawReading;
}

/** The traffic of the steady state, against which a fall is seen. */
export type TrafficBaseline = Pick<Baseline, 'liveGateways' | 'requestsPerSecond'>;

/** Under this part of the baseline's request rate the guardrails look at too little traffic to say anything. */
const MIN_REQUEST_RATE_SHARE = 0.5;

type Limits = Pick<Reading, 'guardrail' | 'cluster' | 'limit' | 'breachWhen' | 'unit' | 'maxAgeSeconds'>;

/** A cluster and the name it is configured under. */
export interface NamedCluster {
  name: string;
  cluster: Pick<Cluster, 'guardrails' | 'telemetry'>;
}

/**
 * Judges one snapshot. Blind is a breach: a reading that is missing, not finite, older than its guardrail allows or of
 * unknown age breaches like one beyond its limit, and so do fewer gateways or far less traffic than in the baseline.
 */
export function evaluate(
  { name, cluster }: NamedCluster,
  snapshot: TelemetrySnapshot,
  baseline: TrafficBaseline,
): Reading[] {
  const { liveGateways, requestRate } = trafficSourcesOf(cluster);
  const below = (guardrail: string, { maxAgeSeconds }: Source, limit: number, unit: string): Limits => ({
    ...{ guardrail, cluster: name, limit, breachWhen: 'below', unit, maxAgeSeconds },
  });
  return [
    ...Object.entries(guardrailsOf(cluster)).map(([guardrail, { limit, breachWhen, unit, maxAgeSeconds }]) =>
      judge({ guardrail, cluster: name, limit, breachWhen, unit, maxAgeSeconds }, snapshot.guardrails[guardrail] ?? {}),
    ),
    judge(below('liveGateways', liveGateways, baseline.liveGateways, 'gateways'), snapshot.liveGateways),
    judge(
      below('requestRate', requestRate, baseline.requestsPerSecond * MIN_REQUEST_RATE_SHARE, 'requests/s'),
      snapshot.requestRate,
    ),
  ];
}

/** All readings as breaches, for an evaluation that could not be made at all. */
export function blind(cluster: NamedCluster, baseline: TrafficBaseline, problem: string): Reading[] {
  return evaluate(cluster, { guardrails: {}, liveGateways: { problem }, requestRate: { problem } }, baseline);
}

/** Says something about the system: it could be read, is fresh, and is beyond its limit. */
export function isBeyondLimit({ value, limit, breachWhen, ageSeconds, maxAgeSeconds }: Reading): boolean {
  if (value === undefined || ageSeconds === undefined || ageSeconds > maxAgeSeconds) return false;
  return breachWhen === 'above' ? value > limit : value < limit;
}

/** For a person: every breach with its numbers, and its cluster where there are several. */
export function describeBreaches(readings: readonly Reading[]): string {
  const several = new Set(readings.map(({ cluster }) => cluster)).size > 1;
  return readings
    .filter((reading) => reading.breached)
    .map(({ guardrail, cluster, reason }) => `${several ? `${cluster} ` : ''}${guardrail}: ${reason ?? 'breached'}`)
    .join('; ');
}

function judge(limits: Limits, raw: RawReading): Reading {
  const value = raw.value !== undefined && Number.isFinite(raw.value) ? raw.value : undefined;
  const ageSeconds = raw.ageSeconds !== undefined && Number.isFinite(raw.ageSeconds) ? raw.ageSeconds : undefined;
  const reason = breachReason(limits, value, ageSeconds, raw.problem);
  return {
    ...limits,
    ...(value === undefined ? {} : { value }),
    ...(ageSeconds === undefined ? {} : { ageSeconds }),
    breached: reason !== undefined,
    ...(reason === undefined ? {} : { reason }),
  };
}

function breachReason(
  { limit, breachWhen, unit, maxAgeSeconds }: Limits,
  value: number | undefined,
  ageSeconds: number | undefined,
  problem: string | undefined,
): string | undefined {
  if (problem !== undefined) return `could not be read: ${problem}`;
  if (value === undefined) return 'could not be read: no value';
  if (ageSeconds === undefined) return 'could not be read: age unknown';
  if (!Number.isFinite(limit)) return 'has no finite limit to be compared with';
  if (ageSeconds > maxAgeSeconds) return `newest sample is ${ageSeconds.toFixed(1)} s old, at most ${maxAgeSeconds} s`;
  if (breachWhen === 'above' && value > limit) return `${value} ${unit} is above ${limit} ${unit}`;
  if (breachWhen === 'below' && value < limit) return `${value} ${unit} is below ${limit} ${unit}`;
  return undefined;
}
