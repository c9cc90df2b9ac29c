import type { Cluster } from '../domain/configuration.ts';
import type { Baseline } from '../domain/workflow.ts';
import type { Telemetry } from './prometheus.ts';

const BASELINE_SECONDS = 60;
/** Fewer would be a glimpse, not a steady state. */
const MIN_SAMPLES = 15;
/** The guardrail whose reading is the record's latency. */
const LATENCY_GUARDRAIL = 'p99WriteLatencyMs';

/**
 * The steady state of the past 60 s from range queries, so that a start costs no waiting. Latency and request rate are
 * medians; of the gateways the most that were live, so that one lost just now shows.
 * @throws Error naming what could not be read.
 */
export async function readBaseline(telemetry: Telemetry, cluster: Cluster): Promise<Omit<Baseline, 'readings'>> {
  const latency = cluster.guardrails[LATENCY_GUARDRAIL];
  if (!latency) throw new Error(`guardrails: ${LATENCY_GUARDRAIL} is required, the record's latency comes from it`);
  const [latenciesMs, gateways, rates] = await Promise.all([
    samples(telemetry, LATENCY_GUARDRAIL, latency.query),
    samples(telemetry, 'liveGateways', cluster.telemetry.liveGatewaysQuery),
    samples(telemetry, 'requestRate', cluster.telemetry.requestRateQuery),
  ]);
  return { p99LatencyMs: median(latenciesMs), liveGateways: Math.max(...gateways), requestsPerSecond: median(rates) };
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
