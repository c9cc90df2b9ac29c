import type { Cluster } from './configuration.ts';
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
  cluster: Cluster;
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
  const configured = Object.entries(cluster.guardrails).map(([guardrail, limits]) => {
    const { limit, breachWhen, unit, maxAgeSeconds } = limits;
    const own = { guardrail, cluster: name, limit, breachWhen, unit, maxAgeSeconds };
    return judge(own, snapshot.guardrails[guardrail] ?? {});
  });
  // Neither has a selector of its own: they are as old as the oldest of the others, of the same Prometheus.
  const ageSeconds = oldestAgeSeconds(configured);
  const { maxAgeSeconds } = cluster.telemetry;
  const aged = (raw: RawReading): RawReading => ({ ...raw, ...(ageSeconds === undefined ? {} : { ageSeconds }) });
  const traffic = { cluster: name, breachWhen: 'below', maxAgeSeconds } as const;
  return [
    ...configured,
    judge(
      { guardrail: 'liveGateways', limit: baseline.liveGateways, unit: 'gateways', ...traffic },
      aged(snapshot.liveGateways),
    ),
    judge(
      {
        guardrail: 'requestRate',
        limit: baseline.requestsPerSecond * MIN_REQUEST_RATE_SHARE,
        unit: 'requests/s',
        ...traffic,
      },
      aged(snapshot.requestRate),
    ),
  ];
}

/** All readings as breaches, for an evaluation that could not be made at all. */
export function blind(cluster: NamedCluster, baseline: TrafficBaseline, problem: string): Reading[] {
  return evaluate(cluster, { guardrails: {}, liveGateways: { problem }, requestRate: { problem } }, baseline);
}

/** The age that decides when the next sample is due; undefined when any age is unknown. Seconds. */
export function oldestAgeSeconds(readings: readonly Pick<Reading, 'ageSeconds'>[]): number | undefined {
  const ages = readings.map((reading) => reading.ageSeconds ?? Number.NaN);
  return ages.length > 0 && ages.every(Number.isFinite) ? Math.max(...ages) : undefined;
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
