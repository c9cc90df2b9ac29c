import { canonicalJson, sha256Hex } from './digest.ts';

/** What is asked of a whole log. */
type Entry = Readonly<Record<string, unknown>>;

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

/**
 * Of a log as it stands, whatever its entries say: where its chain breaks or holds an entry of another experiment, and how far
 * the experiment came.
 */
export function inspectLog(experimentId: string, entries: readonly Entry[]) {
  const strange = entries.findIndex((entry) => entry.experimentId !== experimentId);
  // An entry without its links is as broken as one with false ones.
  const broken = verifyChain(entries as readonly Link[]) ?? (strange < 0 ? undefined : strange + 1);
  const has = (wanted: string) => entries.some(({ type }) => type === wanted);
  return {
    ...(broken === undefined ? {} : { brokenAtSequence: broken }),
    isAdmitted: has('ADMITTED'),
    isConcluded: has('CONCLUDED'),
  };
}
