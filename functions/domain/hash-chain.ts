import { canonicalJson, sha256Hex } from './digest.ts';

/** What makes an entry a part of the chain; all of its other fields are under its hash, whatever they are. */
type Link = { sequence: number; previousHash: string; hash: string };

/** SHA-256 (hex) over `previousHash` and the canonical JSON of the other fields. */
export function hashEntry({ previousHash, ...rest }: { previousHash: string }): string {
  return sha256Hex(previousHash + canonicalJson(rest));
}

/**
 * The first sequence at which the chain does not hold; undefined when it holds. It finds a changed, missing, doubled
 * or moved entry. A log cut off at its *end* is still a valid chain: the events published with each entry carry its
 * hash, and a concluded experiment ends with CONCLUDED.
 */
export function verifyChain(entries: readonly Link[]): number | undefined {
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
