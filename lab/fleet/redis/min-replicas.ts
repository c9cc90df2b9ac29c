/** How many replicas a master needs to take a write: one, or none, as Redis comes. */
const COUNTS: readonly string[] = ['0', '1'];
export const MIN_REPLICAS_VARIABLE = 'LAB_REDIS_MIN_REPLICAS';
/** A replica that was silent for so long is none. */
export const MAX_LAG_SECONDS = 10;

/** `min-replicas-to-write`. @throws Error naming those there are. */
export function minReplicasOf(value = '1'): string {
  if (!COUNTS.includes(value)) throw new Error(`${MIN_REPLICAS_VARIABLE}: ${value} is none of ${COUNTS.join(', ')}`);
  return value;
}
