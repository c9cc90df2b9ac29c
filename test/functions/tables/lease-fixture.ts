import type { Lease } from '../../../functions/tables/leases.ts';

/** A lease that is held, unless it is changed. */
export function leaseOf(changes: Partial<Lease> = {}): Lease {
  return { leaseId: 'exp', state: 'HOLD', beat: 1, grants: [], readings: [], ...changes };
}
