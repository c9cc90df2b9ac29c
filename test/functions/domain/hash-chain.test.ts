import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { canonicalJson } from '../../../functions/domain/digest.ts';
import { hashEntry, verifyChain } from '../../../functions/domain/hash-chain.ts';
import { command, entry, type Given, logOf } from './fixtures.ts';

/** Entries whose details say whatever somebody may write. */
const given = fc.oneof(
  fc.record({ detail: fc.string() }).map((changes): Given => ['ABORT_REQUESTED', changes]),
  fc
    // Zod leaves that one key out; no name of a document parameter can be it.
    .dictionary(
      fc.string().filter((name) => name !== '__proto__'),
      fc.string(),
    )
    .map((parameters): Given => ['INJECTING', { commands: [command({ parameters })] }]),
);
const log = fc.array(given, { minLength: 2, maxLength: 8 }).map((entries) => logOf('exp', ...entries));

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
        // Not what its type demands, nor has a forger to care for that.
        const forge = (one: AuditEntry) => ({ ...one, [field]: 'forged' }) as unknown as AuditEntry;
        expect(verifyChain(entries.with(index, forge(entries[index] ?? entry('ADMITTED'))))).toBe(index + 1);
      }),
    );
  });

  it('finds a forged entry whose own hash was made to fit, at the entry behind it', () => {
    fc.assert(
      fc.property(withPositions(), ([entries, index]) => {
        fc.pre(index < entries.length - 1);
        const { hash: _, ...unhashed } = entries[index] ?? entry('ADMITTED');
        const { details } = entry('PROBE_READY', { shard: 'forged' });
        const forged = { ...unhashed, type: 'PROBE_READY' as const, details };
        const changed = entries.with(index, { ...forged, hash: hashEntry(forged) });
        expect(verifyChain(changed)).toBe(index + 2);
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
