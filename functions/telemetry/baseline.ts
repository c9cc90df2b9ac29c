import { guardrailsOf, trafficSourcesOf, type Watched } from '../domain/guardrail-queries.ts';
import { LATENCY_GUARDRAIL } from '../domain/telemetry.ts';
import type { Baseline } from '../domain/workflow.ts';
import type { Telemetry } from './prometheus.ts';

const BASELINE_SECONDS = 60;
/** Fewer would be a glimpse, not a steady state. */
const MIN_SAMPLES = 15;

/**
 * The steady state of the past 60 s from range queries, so that a start costs no waiting. Latency and request rate are
 * medians; of the gateways the most that were live, so that one lost just now shows.
 * @throws Error naming what could not be read.
 */
export async function readBaseline(telemetry: Telemetry, cluster: Watched): Promise<Omit<Baseline, 'readings'>> {
  const latency = guardrailsOf(cluster)[LATENCY_GUARDRAIL];
  if (!latency) throw new Error(`guardrails: ${LATENCY_GUARDRAIL} is required, the record's latency comes from it`);
  const traffic = trafficSourcesOf(cluster);
  const [latenciesMs, gateways, rates] = await Promise.all([
    samples(telemetry, LATENCY_GUARDRAIL, latency.query),
    samples(telemetry, 'liveGateways', traffic.liveGateways.query),
    samples(telemetry, 'requestRate', traffic.requestRate.query),
  ]);
  const baseline = {
    p99LatencyMs: median(latenciesMs),
    liveGateways: Math.max(...gateways),
    requestsPerSecond: median(rates),
  };
  // Below nothing there is nothing: with such a baseline neither could ever be breached.
  if (!(baseline.liveGateways > 0)) throw new Error('baseline of liveGateways: none was live');
  if (!(baseline.requestsPerSecond > 0)) throw new Error('baseline of requestRate: there was no traffic');
  return baseline;
}

async function samples(telemetry: Telemetry, name: string, query: string): Promise<number[]> {
  const values = await telemetry.range(query, BASELINE_SECONDS).catch((error: unknown) => {
    throw new Error(`baseline of ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
  if (values.length >= MIN_SAMPLES) return values;
  throw new Error(`baseline of ${name}: ${values.length} samples in ${BASELINE_SECONDS} s, at least ${MIN_SAMPLES}`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (upper + lower) / 2;
}
