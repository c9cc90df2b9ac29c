import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import type { CursorName } from '../../../functions/domain/names.ts';
import type { AuditIndex } from '../../../functions/tables/audit-index.ts';

/** Logs as the table has them, its index, and cursors: in memory. */
export function memoryAudit(logs: readonly (readonly AuditEntry[])[]) {
  const entries = logs.flat();
  const cursors = new Map<CursorName, string>();
  const index: Pick<AuditIndex, 'find'> = {
    find: async (type, from, until, most = Number.POSITIVE_INFINITY) =>
      entries
        .filter((entry) => entry.type === type && entry.at >= from && entry.at < until)
        .sort((a, b) => (a.at < b.at ? -1 : 1))
        .slice(0, most)
        .map(({ experimentId, at }) => ({ experimentId, at })),
  };
  return {
    index,
    cursors: {
      read: async (name: CursorName) => cursors.get(name),
      write: async (name: CursorName, upTo: string) => void cursors.set(name, upTo),
    },
    audit: {
      readUnparsed: async (id: string) =>
        entries
          .filter(({ experimentId }) => experimentId === id)
          .map((entry) => ({ ...entry }) as Record<string, unknown>),
    },
    position: (name: CursorName) => cursors.get(name),
  };
}
