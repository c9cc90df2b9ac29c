/** Telemetry is scraped once a second: the mission's "every 1 second". */
const SCRAPE_INTERVAL_MS = 1000;
/** A scrape is stamped when it begins and can be queried when it has ended. */
const SCRAPE_SETTLES_MS = 50;
const SHORTEST_INTERVAL_MS = 200;

/**
 * From the start of one evaluation to the start of the next: when the oldest sample is due to be replaced, so that a
 * bad scrape is seen soon after it landed instead of up to a second later. With gateways scraped at different moments
 * the oldest sample is always the next one to come, so the loop follows every scrape.
 *
 * @param oldestAgeSeconds age of the oldest sample at the evaluation; undefined: unknown, look again soon
 * @returns milliseconds, 200 to 1000
 */
export function nextTickIntervalMs(oldestAgeSeconds: number | undefined): number {
  if (oldestAgeSeconds === undefined || !Number.isFinite(oldestAgeSeconds)) return SHORTEST_INTERVAL_MS;
  const dueMs = SCRAPE_INTERVAL_MS - oldestAgeSeconds * 1000 + SCRAPE_SETTLES_MS;
  return Math.min(SCRAPE_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, dueMs));
}
