import type { AuditEntry } from '../audit/entry.ts';
import { detailsOf } from '../experiment/status.ts';
import type { Injection } from '../experiment/workflow.ts';

/**
 * From when on a client may suffer from the fault: the first host's own report, the announcement where no host
 * reported. Milliseconds since the epoch; undefined when nothing was announced.
 */
export function faultAtEpochMs(entries: readonly AuditEntry[]): number | undefined {
  const injected = detailsOf<Injection & { nodes?: { appliedAt?: string }[] }>(entries, 'INJECTED');
  if (injected) {
    const reported = [injected.injectedAt, ...(injected.nodes ?? []).map(({ appliedAt }) => appliedAt ?? '')];
    return Math.min(...reported.map((at) => Date.parse(at)).filter((atMs) => !Number.isNaN(atMs)));
  }
  const announced = entries.find(({ type }) => type === 'INJECTING');
  return announced && Date.parse(announced.at);
}
