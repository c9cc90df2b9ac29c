import type { AuditEntry } from './audit-entry.ts';

/** How long the rollback took until every host had proved that it is clean; undefined where none did. Seconds. */
export function rollbackSecondsOf(entries: readonly AuditEntry[]): number | undefined {
  const began = entries.find(({ type }) => type === 'ROLLING_BACK');
  const ended = entries.findLast(({ type }) => type === 'ROLLED_BACK');
  const tookMs = Date.parse(ended?.at ?? '') - Date.parse(began?.at ?? '');
  return tookMs >= 0 ? tookMs / 1000 : undefined;
}
