import { CANARY_RUNS_LOOKED_UP, type CanaryRun } from '../domain/canary-first.ts';
import type { FaultKind } from '../domain/faults/catalogue.ts';
import { stateOf } from '../domain/status.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Records } from '../tables/records.ts';

interface Tables {
  records: Pick<Records, 'findSince'>;
  audit: Pick<AuditLog, 'read'>;
}

/**
 * Runs of a kind on a cluster, the newest first, each with the end that its log tells: the rows of the table do not.
 *
 * @returns at most as many as are looked up
 * @throws the tables' errors: then nobody knows what ran
 */
export async function canaryRuns(
  clusterName: string,
  kind: FaultKind,
  sinceEpochMs: number,
  { records, audit }: Tables,
): Promise<CanaryRun[]> {
  const rows = await records.findSince(clusterName, kind, new Date(sinceEpochMs).toISOString());
  const newestFirst = rows.toSorted((a, b) => (a.injected_at < b.injected_at ? 1 : -1));
  // A run may have had several faults of the kind.
  const ids = [...new Set(newestFirst.map((row) => row.experiment_id))].slice(0, CANARY_RUNS_LOOKED_UP);
  return await Promise.all(
    ids.map(async (experimentId) => {
      const { status, outcome } = stateOf(await audit.read(experimentId));
      return { experimentId, status, ...(outcome === undefined ? {} : { outcome }) };
    }),
  );
}
