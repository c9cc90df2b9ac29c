import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { canonicalJson } from '../../../functions/domain/canonical-json.ts';
import { hashEntry, verifyChain } from '../../../functions/domain/hash-chain.ts';
import { logOf } from './fixtures.ts';

const log = fc
  .array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 2, maxLength: 8 })
  .map((details) => logOf('exp', ...details.map((d) => ['INJECTING', JSON.parse(JSON.stringify(d))] as const)));

function withPositions(minimum = 0) {
  return log.chain((entries) => fc.tuple(fc.constant(entries), fc.integer({ min: minimum, max: entries.length - 1 })));
}

describe('the hash chain', () => {
  it('accepts a log as it was written', () => {
    fc.assert(fc.property(log, (entries) => verifyChain(entries) === undefined));
  });

  it('finds any change of any field at the entry that was changed', () => {
    const fields = ['experimentId', 'type', 'at', 'actor', 'details', 'previousHash', 'hash', 'sequence'] as const;
    fc.assert(
      fc.property(withPositions(), fc.constantFrom(...fields), ([entries, index], field) => {
        const changed = entries.map((entry, i) =>
          i === index ? ({ ...entry, [field]: 'forged' } as unknown as AuditEntry) : entry,
        );
        expect(verifyChain(changed)).toBe(index + 1);
      }),
    );
  });

  it('finds a forged entry whose own hash was made to fit, at the entry behind it', () => {
    fc.assert(
      fc.property(withPositions(), ([entries, index]) => {
        fc.pre(index < entries.length - 1);
        const forge = ({ hash: _hash, ...entry }: AuditEntry): AuditEntry => {
          const forged = { ...entry, details: { forged: true } };
          return { ...forged, hash: hashEntry(forged) };
        };
        expect(verifyChain(entries.map((entry, i) => (i === index ? forge(entry) : entry)))).toBe(index + 2);
      }),
    );
  });

  it('finds an entry that was removed before the end', () => {
    fc.assert(
      fc.property(withPositions(), ([entries, index]) => {
        fc.pre(index < entries.length - 1);
        expect(verifyChain(entries.toSpliced(index, 1))).toBe(index + 1);
      }),
    );
  });

  it('finds two entries that changed places, even when their numbers were adjusted', () => {
    fc.assert(
      fc.property(withPositions(1), ([entries, index]) => {
        const moved = entries.toSpliced(index - 1, 2, ...entries.slice(index - 1, index + 1).reverse());
        const renumbered = moved.map((entry, i) => ({ ...entry, sequence: i + 1 }));
        expect(verifyChain(moved)).toBe(index);
        expect(verifyChain(renumbered)).toBe(index);
      }),
    );
  });

  it('does not depend on the order in which fields were written', () => {
    expect(canonicalJson({ b: [{ d: 1, c: undefined }], a: 2 })).toBe('{"a":2,"b":[{"d":1}]}');
    expect(canonicalJson(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
  });
});
