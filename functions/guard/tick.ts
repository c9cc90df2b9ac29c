import { guardrailsOf, trafficSourcesOf } from '../domain/guardrail-queries.ts';
import type { NamedCluster } from '../domain/guardrails.ts';
import type { Reading } from '../domain/workflow.ts';

/** The mission's "every 1 second", however rarely a source is scraped: a beat is due by then. */
const LONGEST_INTERVAL_MS = 1000;
/** A scrape is stamped when it begins and can be queried when it has ended. */
const SCRAPE_SETTLES_MS = 50;
const SHORTEST_INTERVAL_MS = 200;

/** The newest sample behind a reading. */
export interface Sample {
  /** Absent: unknown. */
  ageSeconds?: number;
  scrapeIntervalSeconds: number;
}

/**
 * From the start of one evaluation to the start of the next: when the first sample is due to be replaced, so that a bad
 * scrape is seen soon after it landed instead of up to a second later. With gateways scraped at different moments the
 * oldest sample is always the next one to come, so the loop follows every scrape.
 *
 * @returns milliseconds, 200 to 1000; where any age is unknown 200, to look again soon
 */
export function nextTickIntervalMs(samples: readonly Sample[]): number {
  const dueMs = samples.map(
    ({ ageSeconds = Number.NaN, scrapeIntervalSeconds }) =>
      (scrapeIntervalSeconds - ageSeconds) * 1000 + SCRAPE_SETTLES_MS,
  );
  if (dueMs.length === 0 || !dueMs.every(Number.isFinite)) return SHORTEST_INTERVAL_MS;
  return Math.max(SHORTEST_INTERVAL_MS, Math.min(LONGEST_INTERVAL_MS, ...dueMs));
}

/** The sample behind each reading of these clusters. */
export function samplesOf(clusters: readonly NamedCluster[], readings: readonly Reading[]): Sample[] {
  return clusters.flatMap(({ name, cluster }) => {
    const sources = new Map(Object.entries({ ...guardrailsOf(cluster), ...trafficSourcesOf(cluster) }));
    return readings
      .filter((reading) => reading.cluster === name)
      .map(({ guardrail, ageSeconds }) => ({
        ...(ageSeconds === undefined ? {} : { ageSeconds }),
        scrapeIntervalSeconds: sources.get(guardrail)?.scrapeIntervalSeconds ?? Number.NaN,
      }));
  });
}
