import {
  type AuditEntry,
  type EntryDetails,
  type EntryType,
  isEntryOf,
} from '../../../functions/domain/audit-entry.ts';
import type { Clock } from '../../../functions/domain/clock.ts';
import type { AuditLog } from '../../../functions/tables/audit-log.ts';
import { following, iso } from '../domain/fixtures.ts';

interface MemoryAuditLog extends Pick<AuditLog, 'append' | 'read'> {
  /** Of all experiments, in the order in which they were written. */
  entries: AuditEntry[];
  /** Details of every entry of that type. */
  detailsOf<T extends EntryType>(type: T): EntryDetails[T][];
}

interface Options {
  entries?: readonly AuditEntry[];
  /** When entries are written; without it the log's own first second. */
  clock?: Pick<Clock, 'nowEpochMs'>;
  onAppend?: (entry: AuditEntry) => void;
}

/** A log in memory. As in the real one, what does not parse is not written. */
export function memoryAuditLog({ entries: before = [], clock, onAppend }: Options = {}): MemoryAuditLog {
  const entries = [...before];
  return {
    entries,
    async append(experimentId, type, actor, details) {
      const at = clock ? new Date(clock.nowEpochMs()).toISOString() : iso(0);
      const entry = following(entries, { experimentId, type, actor, details, at });
      entries.push(entry);
      onAppend?.(entry);
      return entry;
    },
    read: async (experimentId) => entries.filter((entry) => entry.experimentId === experimentId),
    // Those of the entries of that type, which the compiler does not follow.
    detailsOf: <T extends EntryType>(type: T) =>
      entries.flatMap((entry) => (isEntryOf(entry, type) ? [entry.details as EntryDetails[T]] : [])),
  };
}
