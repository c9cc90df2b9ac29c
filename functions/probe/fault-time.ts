import type { AuditEntry } from '../domain/audit-entry.ts';
import type { Injection } from '../domain/workflow.ts';

/** The part of INJECTED that is used. */
type Injected = Pick<Injection, 'injectedAt'> & { nodes?: { appliedAt?: string }[]; services?: unknown[] };

/**
 * From when on a client may suffer: the first host's own report, the announcement where nobody reported or where a
 * service did, which says only that it has begun. Milliseconds since the epoch; undefined when nothing was announced.
 */
export function faultAtEpochMs(entries: readonly AuditEntry[]): number | undefined {
  const announced = entries.find(({ type }) => type === 'INJECTING');
  // Of several turns the first: from then on something is broken.
  const injected = entries.find(({ type }) => type === 'INJECTED')?.details as Injected | undefined;
  if (!injected || (announced && injected.services?.length)) return announced && Date.parse(announced.at);
  const reported = [injected.injectedAt, ...(injected.nodes ?? []).map(({ appliedAt }) => appliedAt ?? '')];
  return Math.min(...reported.map((at) => Date.parse(at)).filter((atMs) => !Number.isNaN(atMs)));
}
