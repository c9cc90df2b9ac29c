import type { Canary, TrafficShare } from '../fleet/engine.ts';
import { ENGINES } from '../fleet/fleet.ts';

/** One request in so many goes to a canary: 0.3 % of the traffic, below the 0.5 % that the guard tolerates. */
export const CANARY_EVERY_N_REQUESTS = 333;

/** What gateways serve from their own memory, where no engine is to bear the load. */
export const CACHE = 'cache';

interface Request {
  /** The shard, or `CACHE`. */
  lane: string;
  isRead: boolean;
}

/**
 * How the n-th request is served. Counted, never drawn: by chance alone a random 0.3 % goes above the guard's limit in
 * some windows, and a healthy experiment would be aborted.
 */
export interface Routing {
  lanes: readonly { name: string; writeOnly?: true; workers?: number }[];
  /** @throws RangeError when n is not a whole number of 0 or more. */
  requestOf(n: number): Request;
}

export function createRouting(shares: readonly TrafficShare[]): Routing {
  const canaries = shares.flatMap((share) => share.canaries);
  const slots = slotsOf(canaries);
  const ofEngines = shares.flatMap((share) => share.busy);
  const busy = ofEngines.length > 0 ? ofEngines : [CACHE];
  return {
    lanes: [
      ...canaries.flatMap(({ shards, slots: _slots, ...canary }) => shards.map((name) => ({ name, ...canary }))),
      ...busy.map((name) => ({ name })),
    ],
    requestOf(n) {
      if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`n: ${n} is not a whole number of 0 or more`);
      const canary = slots.get(n % CANARY_EVERY_N_REQUESTS);
      const shards = canary?.shards ?? busy;
      const turn = canary ? Math.floor(n / CANARY_EVERY_N_REQUESTS) : n;
      const lane = shards[turn % shards.length];
      if (lane === undefined) throw new RangeError('a canary needs a shard');
      // Every tenth request reads, the others write: the guard watches writes.
      return { lane, isRead: n % 10 === 9 && !canary?.writeOnly };
    },
  };
}

/** Every canary has one; those that have more have them evenly, for no burst. @returns position of a request → whose it is */
function slotsOf(canaries: readonly Canary[]): ReadonlyMap<number, Canary> {
  const more = canaries.flatMap((canary) => Array.from({ length: (canary.slots ?? 1) - 1 }, () => canary));
  const rest = CANARY_EVERY_N_REQUESTS - canaries.length;
  return new Map([
    ...canaries.entries(),
    ...more.map((canary, index) => [canaries.length + Math.floor((index * rest) / more.length), canary] as const),
  ]);
}

export const ROUTING = createRouting(ENGINES.map(({ traffic }) => traffic));

/** Where experiments start. */
export const CANARY_SHARD = ROUTING.lanes[0]?.name ?? CACHE;
