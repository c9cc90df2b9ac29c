import * as z from 'zod';
import type { Cluster } from '../domain/configuration.ts';
import type { RawReading, TelemetrySnapshot } from '../domain/guardrails.ts';
import { QUERY_TIMEOUT_MS } from '../domain/timing.ts';

/** The narrow port through which guard and checks see telemetry. Values are finite or the call rejects. */
export interface Telemetry {
  instant(query: string): Promise<number>;
  /** Finite samples of the past `seconds`, one each second; NaN samples (no traffic in a window) are left out. */
  range(query: string, seconds: number): Promise<number[]>;
}

const sample = z.tuple([z.number(), z.string()]);
const answer = z.object({
  status: z.literal('success'),
  warnings: z.array(z.string()).optional(),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('scalar'), result: sample }),
    z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: sample })) }),
    z.object({ resultType: z.literal('matrix'), result: z.array(z.object({ values: z.array(sample) })) }),
  ]),
});

/** Instant and range queries over Prometheus's HTTP API, read strictly: anything but one finite value is an error. */
export class PrometheusClient implements Telemetry {
  readonly #baseUrl: string;

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
  }

  async instant(query: string): Promise<number> {
    const data = await this.#get('query', { query });
    if (data.resultType === 'scalar') return finite(data.result[1]);
    if (data.resultType === 'matrix') throw new Error('the query gives a range, not a value');
    const [only, ...others] = data.result;
    if (!only) throw new Error('the query gives no series');
    if (others.length > 0) throw new Error(`the query gives ${data.result.length} series, it must give one`);
    return finite(only.value[1]);
  }

  async range(query: string, seconds: number): Promise<number[]> {
    // Prometheus's own time, so that a difference between the clocks does not move the window.
    const end = await this.instant('time()');
    const data = await this.#get('query_range', { query, start: `${end - seconds}`, end: `${end}`, step: '1' });
    if (data.resultType !== 'matrix') throw new Error('the query gives no range');
    const [only, ...others] = data.result;
    if (!only) throw new Error('the query gives no series');
    if (others.length > 0) throw new Error(`the query gives ${data.result.length} series, it must give one`);
    return only.values.map(([, text]) => parseSample(text)).filter(Number.isFinite);
  }

  async #get(path: string, parameters: Record<string, string>) {
    const response = await fetch(`${this.#baseUrl}/api/v1/${path}?${new URLSearchParams(parameters)}`, {
      signal: AbortSignal.timeout(QUERY_TIMEOUT_MS),
      redirect: 'error',
    });
    const body = await response.text();
    if (!response.ok) throw new Error(`Prometheus answers HTTP ${response.status}: ${body.slice(0, 200)}`);
    const { warnings = [], data } = answer.parse(JSON.parse(body));
    // A warning may mean a partial answer; notes about the style of a query ("PromQL info") do not.
    const serious = warnings.filter((warning) => !warning.startsWith('PromQL info'));
    if (serious.length > 0) throw new Error(`Prometheus warns: ${serious.join('; ')}`);
    return data;
  }
}

/** Reads everything a cluster's guardrails need, in parallel; never rejects: what cannot be read says so itself. */
export async function readTelemetry(telemetry: Telemetry, cluster: Cluster): Promise<TelemetrySnapshot> {
  const guardrails = Object.entries(cluster.guardrails).map(async ([name, { query, freshness }]) => {
    const [value, age] = await Promise.all([
      read(telemetry, query),
      read(telemetry, `time() - min(timestamp(${freshness}))`),
    ]);
    const problem = value.problem ?? (age.problem === undefined ? undefined : `its age is unknown: ${age.problem}`);
    return [
      name,
      {
        ...(value.value === undefined ? {} : { value: value.value }),
        ...(age.value === undefined ? {} : { ageSeconds: age.value }),
        ...(problem === undefined ? {} : { problem }),
      },
    ] as const;
  });
  const [readings, liveGateways, requestRate] = await Promise.all([
    Promise.all(guardrails),
    read(telemetry, cluster.telemetry.liveGatewaysQuery),
    read(telemetry, cluster.telemetry.requestRateQuery),
  ]);
  return { guardrails: Object.fromEntries(readings), liveGateways, requestRate };
}

/**
 * Share of the cluster's traffic, 0 to 1, that these shards serve.
 * @throws Error when it cannot be read: an unknown share is not a small one.
 */
export async function readTrafficShare(
  telemetry: Telemetry,
  cluster: Cluster,
  shards: readonly string[],
): Promise<number> {
  const query = cluster.telemetry.trafficShareQuery.replaceAll('{{shards}}', shards.map(escapeShard).join('|'));
  const share = await telemetry.instant(query);
  if (share < 0 || share > 1) throw new Error(`trafficShareQuery gives ${share}, it must give a share from 0 to 1`);
  return share;
}

/** Names of shards are held to these characters; `[.]` needs no escaping in any PromQL string. */
function escapeShard(shard: string): string {
  if (!/^[A-Za-z0-9._-]+$/.test(shard))
    throw new Error(`shard ${shard}: letters, digits, dot, dash and underscore only`);
  return shard.replaceAll('.', '[.]');
}

async function read(telemetry: Telemetry, query: string): Promise<RawReading> {
  try {
    return { value: await telemetry.instant(query) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function finite(text: string): number {
  const value = parseSample(text);
  if (!Number.isFinite(value)) throw new Error(`the query gives ${text}`);
  return value;
}

/** Unlike `Number`, refuses an empty text. */
function parseSample(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}
