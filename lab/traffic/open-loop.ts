/**
 * Arrivals of an open loop: so many a second by the monotonic clock, whether or not earlier requests were answered.
 * A closed loop would slow down with the system it measures and hide the outage.
 */
export interface OpenLoop {
  /** How many requests to send now. */
  due(nowMs: number): number;
  /** Arrivals given up because the generator itself had been stopped for too long. */
  skipped(): number;
}

/** Most arrivals sent in one turn: a generator that was held up must not hit the gateways with one burst. */
export const MAX_BURST = 20;
/** Debt older than this is given up and counted. Milliseconds. */
const MAX_DEBT_MS = 1_000;

/** @param startMs the monotonic time of arrival 0. */
export function createOpenLoop(ratePerSecond: number, startMs: number): OpenLoop {
  let handedOut = 0;
  let skipped = 0;
  return {
    due(nowMs) {
      const arrived = Math.floor(((nowMs - startMs) * ratePerSecond) / 1000);
      const maxDebt = Math.ceil((ratePerSecond * MAX_DEBT_MS) / 1000);
      const excess = arrived - handedOut - maxDebt;
      if (excess > 0) {
        handedOut += excess;
        skipped += excess;
      }
      const count = Math.max(0, Math.min(arrived - handedOut, MAX_BURST));
      handedOut += count;
      return count;
    },
    skipped: () => skipped,
  };
}
