import type { AuditEntry } from './audit-entry.ts';
import { canonicalJson, sha256Hex } from './digest.ts';

/** SHA-256 (hex) over `previousHash` and the canonical JSON of the other fields. */
export function hashEntry({
  previousHash,
  ...rest
}: Omit<AuditEntry, 'hash' | 'details'> & { details: unknown }): string {
  return sha256Hex(previousHash + canonicalJson(rest));
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
