import { shardsOf } from '../fleet/engine.ts';
import { ENGINES, SHARDS } from '../fleet/fleet.ts';

/** The partition that takes every n-th request only: where experiments start. */
export const CANARY_SHARD = 'shard-1';

/** One request in so many goes to the canary shard: 0.3 % of the traffic, below the 0.5 % that the guard tolerates. */
export const CANARY_EVERY_N_REQUESTS = 333;

/** Those that every lab has. What it may have beside them gets as little as the canary shard. */
const ORDINARY_SHARDS = shardsOf(ENGINES[0]?.hosts ?? []);
const BUSY_SHARDS = ORDINARY_SHARDS.filter((shard) => shard !== CANARY_SHARD);
const QUIET_SHARDS = [CANARY_SHARD, ...SHARDS.filter((shard) => !ORDINARY_SHARDS.includes(shard))];

/**
 * The shard that serves the n-th request. Counted, never drawn: by chance alone a random 0.3 % goes above the
 * guard's limit in some windows, and a healthy experiment would be aborted.
 * @throws RangeError when n is not a whole number of 0 or more.
 */
export function shardOf(n: number): string {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`n: ${n} is not a whole number of 0 or more`);
  const shard = QUIET_SHARDS[n % CANARY_EVERY_N_REQUESTS] ?? BUSY_SHARDS[n % BUSY_SHARDS.length];
  if (shard === undefined) throw new RangeError('the fleet has no shard besides the canary');
  return shard;
}

/** Every tenth request reads, the others write: the guard watches writes. */
export function isRead(n: number): boolean {
  return n % 10 === 9;
}
