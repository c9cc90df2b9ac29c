import { z } from 'zod';
import { DEFAULT_GUARDRAILS } from '../functions/domain/configuration.ts';
import type { Guardrail } from '../functions/domain/guardrail-queries.ts';

const rangeSchema = z.object({
  data: z.object({
    result: z.array(z.object({ values: z.array(z.tuple([z.number(), z.string()])) })),
  }),
});

const instantSchema = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

/** Resolution with which the moment of a bad scrape is found. Seconds. */
const STEP_SECONDS = 0.1;

/**
 * When the first scrape landed that puts a guardrail beyond its limit, by Prometheus's own data and not by the guard's.
 * @throws Error when no guardrail was beyond its limit in that time.
 */
export async function firstBadScrape(prometheusUrl: string, fromEpochMs: number, toEpochMs: number): Promise<number> {
  const times = await Promise.all(
    Object.values(DEFAULT_GUARDRAILS).map(async (guardrail) =>
      firstBreach(guardrail, await queryRange(prometheusUrl, guardrail.query, fromEpochMs, toEpochMs)),
    ),
  );
  const breaches = times.filter((time) => time !== undefined);
  if (breaches.length === 0) throw new Error('no guardrail was beyond its limit');
  return Math.min(...breaches);
}

/** How many requests the gateways answered with an error in that time, by their own counters. */
export async function failedBetween(prometheusUrl: string, fromEpochMs: number, toEpochMs: number): Promise<number> {
  const [before, after] = await Promise.all(
    [fromEpochMs, toEpochMs].map(async (epochMs) => {
      const url = new URL('/api/v1/query', prometheusUrl);
      const query = 'sum(http_requests_total{code=~"5.."}) or vector(0)';
      url.search = new URLSearchParams({ query, time: String(epochMs / 1000) }).toString();
      const response = await fetch(url);
      if (!response.ok) throw new Error(`Prometheus answered ${response.status}: ${await response.text()}`);
      return Number(instantSchema.parse(await response.json()).data.result[0]?.value[1]);
    }),
  );
  return (after ?? Number.NaN) - (before ?? Number.NaN);
}

/** When the gateways counted their last error in that time; undefined when there was none. Epoch milliseconds. */
export async function lastErrorBetween(
  prometheusUrl: string,
  fromEpochMs: number,
  toEpochMs: number,
): Promise<number | undefined> {
  const query = 'sum(http_requests_total{code=~"5.."}) or vector(0)';
  return lastRise(await queryRange(prometheusUrl, query, fromEpochMs, toEpochMs));
}

/** @param values as of `firstBreach`, of a counter. @returns epoch milliseconds. */
export function lastRise(values: readonly (readonly [number, string])[]): number | undefined {
  const rise = values.findLast(([, text], at) => at > 0 && Number(text) > Number(values[at - 1]?.[1]));
  return rise && rise[0] * 1000;
}

async function queryRange(prometheusUrl: string, query: string, fromEpochMs: number, toEpochMs: number) {
  const url = new URL('/api/v1/query_range', prometheusUrl);
  url.search = new URLSearchParams({
    query,
    start: String(fromEpochMs / 1000),
    end: String(toEpochMs / 1000),
    step: String(STEP_SECONDS),
  }).toString();
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Prometheus answered ${response.status}: ${await response.text()}`);
  return rangeSchema.parse(await response.json()).data.result[0]?.values ?? [];
}

/** @param values samples as Prometheus returns them: [epoch seconds, number as text]. @returns epoch milliseconds. */
export function firstBreach(
  { breachWhen, limit }: Pick<Guardrail, 'breachWhen' | 'limit'>,
  values: readonly (readonly [number, string])[],
): number | undefined {
  const bad = values.find(([, text]) => (breachWhen === 'above' ? Number(text) > limit : Number(text) < limit));
  return bad && bad[0] * 1000;
}
