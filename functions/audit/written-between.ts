import type { EntryType } from '../domain/audit-entry.ts';
import { ENTRY_TYPES } from '../domain/audit-schemas.ts';
import type { AuditIndex, AuditKey } from '../tables/audit-index.ts';

/** What was written from one moment (ISO 8601, inclusive) to another (exclusive), whatever it was. */
export async function writtenBetween(
  from: string,
  until: string,
  index: Pick<AuditIndex, 'find'>,
): Promise<(AuditKey & { type: EntryType })[]> {
  const found = await Promise.all(
    ENTRY_TYPES.map(async (type) => (await index.find(type, from, until)).map((key) => ({ ...key, type }))),
  );
  return found.flat();
}
