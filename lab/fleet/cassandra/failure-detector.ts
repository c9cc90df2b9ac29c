/** How sure a node has to be that another one is gone: Cassandra's default, and what is advised where pauses and networks are long. */
const THRESHOLDS: readonly string[] = ['8', '12'];
export const PHI_VARIABLE = 'LAB_CASSANDRA_PHI';

/** `phi_convict_threshold`. @throws Error naming those there are. */
export function phiOf(value = '8'): number {
  if (!THRESHOLDS.includes(value)) throw new Error(`${PHI_VARIABLE}: ${value} is none of ${THRESHOLDS.join(', ')}`);
  return Number(value);
}
