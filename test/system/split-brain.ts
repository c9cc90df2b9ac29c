/** Of both labs, with and without `min-replicas-to-write`. */
export const UNSAFE_EXAMPLE = 'redis-split-brain-unsafe.json';
/** How long its fault lasts. */
export const UNSAFE_SECONDS = 30;
export const WRITES_PER_SECOND = 20;
/** A replica's lag is counted in whole seconds, and looked at once in each. */
export const COUNTING_SECONDS = 2;
