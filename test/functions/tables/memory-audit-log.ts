import { isDeepStrictEqual } from 'node:util';
import {
  type AuditEntry,
  type EntryDetails,
  type EntryType,
  isEntryOf,
} from '../../../functions/domain/audit-entry.ts';
import type { Clock } from '../../../functions/domain/clock.ts';
import { asJson } from '../../../functions/domain/digest.ts';
import type { AuditLog } from '../../../functions/tables/audit-log.ts';
import { following, iso } from '../domain/fixtures.ts';

interface MemoryAuditLog extends Pick<AuditLog, 'append' | 'appendOnce' | 'beginAppend' | 'latest' | 'read'> {
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
  const append: AuditLog['append'] = async (experimentId, type, actor, details) => {
    const at = clock ? new Date(clock.nowEpochMs()).toISOString() : iso(0);
    const entry = following(entries, { experimentId, type, actor, details, at });
    entries.push(entry);
    onAppend?.(entry);
    return entry;
  };
  return {
    entries,
    append,
    async appendOnce(experimentId, type, actor, details) {
      const own = entries.filter((entry) => entry.experimentId === experimentId && entry.type === type);
      const isThere = own.some((entry) => isDeepStrictEqual(entry.details, asJson(details)));
      return isThere ? undefined : append(experimentId, type, actor, details);
    },
    beginAppend(...entry) {
      const done = append(...entry);
      return { written: done, done };
    },
    read: async (experimentId) => entries.filter((entry) => entry.experimentId === experimentId),
    latest: async (experimentId, most) =>
      entries
        .filter((entry) => entry.experimentId === experimentId)
        .slice(-most)
        .reverse(),
    // Those of the entries of that type, which the compiler does not follow.
    detailsOf: <T extends EntryType>(type: T) =>
      entries.flatMap((entry) => (isEntryOf(entry, type) ? [entry.details as EntryDetails[T]] : [])),
  };
}
