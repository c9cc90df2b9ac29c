import type { ReleaseReason } from '../../../functions/domain/workflow.ts';
import type { Lease, Leases } from '../../../functions/tables/leases.ts';

/** A lease that is held, unless it is changed. */
export function leaseOf(changes: Partial<Lease> = {}): Lease {
  return { leaseId: 'exp', state: 'HOLD', beat: 1, grants: [], readings: [], ...changes };
}

/** The lease of one experiment; as the real table, a release says whether it released. */
export function memoryLeases(given?: Lease, onRelease?: (reason: string, detail: string) => void) {
  let lease = given;
  return {
    read: async () => lease,
    async release(_id: string, releaseReason: ReleaseReason, releaseDetail: string): Promise<boolean> {
      if (lease?.state === 'RELEASED') return false;
      lease = leaseOf({ ...lease, state: 'RELEASED', releaseReason, releaseDetail });
      onRelease?.(releaseReason, releaseDetail);
      return true;
    },
  } satisfies Pick<Leases, 'read' | 'release'>;
}
