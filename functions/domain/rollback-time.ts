import { type AuditEntry, lastOf } from './audit-entry.ts';
import { rollbackOf } from './status.ts';

/** How long the rollback took until every host had proved that it is clean; undefined where none did. Seconds. */
export function rollbackSecondsOf(entries: readonly AuditEntry[]): number | undefined {
  const began = entries.find(({ type }) => type === 'ROLLING_BACK');
  const ended = entries.findLast(({ type }) => type === 'ROLLED_BACK');
  const tookMs = Date.parse(ended?.at ?? '') - Date.parse(began?.at ?? '');
  return tookMs >= 0 ? tookMs / 1000 : undefined;
}

/** When the faults began to end, by their own time or by a rollback, whichever was first. Milliseconds since the epoch, Infinity where neither was. */
export function endingMsOf(entries: readonly AuditEntry[]): number {
  const { nodes = [], services = [] } = rollbackOf(entries) ?? {};
  const ends = [
    lastOf(entries, 'INJECTED')?.endsAt,
    entries.find(({ type }) => type === 'ROLLING_BACK')?.at,
    // A host, and a service, ends its fault by its own time, a little before anybody asks it to.
    ...nodes.map(({ liftedAt }) => liftedAt),
    ...services.map(({ endedAt }) => endedAt),
  ].map((at) => Date.parse(at ?? ''));
  return Math.min(...ends.filter((ms) => !Number.isNaN(ms)));
}
