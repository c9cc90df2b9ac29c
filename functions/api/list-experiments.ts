import { clusterName } from '../domain/configuration.ts';
import { FAULT_KINDS } from '../domain/faults/catalogue.ts';
import type { FieldError } from '../domain/problem.ts';
import type { Records } from '../tables/records.ts';
import { type Answer, invalid } from './answer.ts';

const MAX_ROWS = 1_000;

/** `GET …?cluster=&fault=`: the seed's records by its composite index, newest first; `fault` may be left out. */
export async function listExperiments(
  query: Record<string, string | undefined>,
  { records }: { records: Pick<Records, 'find'> },
): Promise<Answer> {
  const { cluster, fault } = query;
  const errors: FieldError[] = [
    // Not only those that are configured now: a record outlives its cluster.
    ...(clusterName.safeParse(cluster).success
      ? []
      : [{ field: 'cluster', message: 'is missing or no name', allowed: 'the name of a cluster' }]),
    ...(fault === undefined || FAULT_KINDS.some((kind) => kind === fault)
      ? []
      : [{ field: 'fault', message: 'is not a fault kind', allowed: FAULT_KINDS.join(', ') }]),
  ];
  if (cluster === undefined || errors.length > 0) return invalid(errors);
  const rows = await records.find(cluster, fault, MAX_ROWS);
  const newestFirst = rows.toSorted((a, b) => (a.injected_at < b.injected_at ? 1 : -1));
  return { status: 200, body: { experiments: newestFirst, truncated: rows.length >= MAX_ROWS } };
}
