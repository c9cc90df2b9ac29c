import type { AuditEntry } from './audit-entry.ts';

/** Ids of the faults that an INJECTING entry announced: each may have been applied, confirmed or not. */
export function announcedFaults(entries: readonly AuditEntry[]): Set<string> {
  const announced = entries
    .filter(({ type }) => type === 'INJECTING')
    .flatMap(({ details }) => [details.commands, details.services])
    .flatMap((list) => (list as { faultId: string }[] | undefined) ?? []);
  return new Set(announced.map(({ faultId }) => faultId));
}
