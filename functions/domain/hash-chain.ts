import { createHash } from 'node:crypto';
import type { AuditEntry } from './audit-entry.ts';
import { canonicalJson } from './canonical-json.ts';

export type UnhashedEntry = Omit<AuditEntry, 'hash'>;

/** SHA-256 (hex) over `previousHash` and the canonical JSON of the other fields. */
export function hashEntry({ previousHash, ...rest }: UnhashedEntry): string {
  return createHash('sha256').update(previousHash).update(canonicalJson(rest)).digest('hex');
}

/**
 * The first sequence at which the chain does not hold; undefined when it holds. It finds a changed, missing, doubled
 * or moved entry. A log cut off at its *end* is still a valid chain: the events published with each entry carry its
 * hash, and a concluded experiment ends with CONCLUDED.
 */
export function verifyChain(entries: readonly AuditEntry[]): number | undefined {
  let previousHash = '';
  for (const [index, entry] of entries.entries()) {
    const sequence = index + 1;
    const { hash, ...unhashed } = entry;
    const holds = entry.sequence === sequence && entry.previousHash === previousHash && hash === hashEntry(unhashed);
    if (!holds) return sequence;
    previousHash = hash;
  }
  return undefined;
}
