/** Simulated clocks on which somebody sleeps now. */
export const asleep = new Set<{ abandonSleepers(): void }>();
