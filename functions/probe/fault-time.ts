import { type AuditEntry, isEntryOf } from '../domain/audit-entry.ts';

/**
 * From when on a client may suffer: the first host's own report, the announcement where nobody reported or where FIS
 * did, which says only that it has begun. Milliseconds since the epoch; undefined when nothing was announced.
 */
export function faultAtEpochMs(entries: readonly AuditEntry[]): number | undefined {
  const announced = entries.find(({ type }) => type === 'INJECTING');
  // Of several batches the first: from then on something is broken.
  const injected = entries.find((entry) => isEntryOf(entry, 'INJECTED'))?.details;
  if (!injected || (announced && injected.services.length > 0)) return announced && Date.parse(announced.at);
  const reported = [injected.injectedAt, ...injected.nodes.map(({ appliedAt }) => appliedAt ?? '')];
  return Math.min(...reported.map((at) => Date.parse(at)).filter((atMs) => !Number.isNaN(atMs)));
}
