import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHostReport, remarksOf } from '../../../functions/domain/host-report.ts';
import {
  bytesOf,
  firstLines,
  MAX_NOTE_CHARACTERS,
  MAX_NOTES,
  MAX_WORD_CHARACTERS,
} from '../../../functions/domain/limits.ts';
import { iso, remarks } from './fixtures.ts';

const REVERTED = {
  ...{ faultId: 'exp.1', instanceId: 'i-3', state: 'REVERTED', revertReason: 'TTL' },
  ...{ appliedAt: iso(3), liftedAt: iso(63), bootId: 'boot-1' },
  fence: { outcome: 'SETTLED', raisedAt: iso(63), loweredAt: iso(64) },
  ...{ leftovers: [], changes: ['+ a rule of others'] },
  ...remarks,
};
const parsed = (report: object) => parseHostReport(`noise\n${JSON.stringify(report)}\n`);
const NOT_PROOF = Object.keys(REVERTED).filter((field) => !['faultId', 'state', 'leftovers'].includes(field));

describe('the report of a host', () => {
  it('is read with everything it says, or with as little as its state', () => {
    expect(parsed(REVERTED)).toEqual(REVERTED);
    expect(parsed({ state: 'FAILED', reason: null, fence: null, effect: null, notes: null, leftovers: null })).toEqual({
      ...{ state: 'FAILED', reason: null, fence: null, effect: null },
    });
  });

  it('is the last line that is one: not JSON of others, not what was said before', () => {
    const before = JSON.stringify({ ...REVERTED, state: 'ARMING' });
    expect(parseHostReport(`${before}\n${JSON.stringify(REVERTED)}\n{"level":"warn"}\n{not json\n`)).toEqual(REVERTED);
    expect(parseHostReport('{"level":"warn"}\n["state"]\nREVERTED\n')).toBeUndefined();
  });

  it('keeps its proof whatever any other part says, or a part that nobody knows yet', () => {
    const strange = fc.dictionary(fc.oneof(fc.constantFrom(...NOT_PROOF), fc.string()), fc.jsonValue());
    fc.assert(
      fc.property(strange, ({ faultId: _, state: _state, leftovers: _lines, ...said }) => {
        expect(parsed({ ...REVERTED, ...said })).toMatchObject({ faultId: 'exp.1', state: 'REVERTED', leftovers: [] });
      }),
    );
  });

  it('never loses a leftover, in whatever form it comes', () => {
    const strange = fc.jsonValue().filter((value) => value !== null);
    fc.assert(
      fc.property(fc.array(strange, { minLength: 1 }), (leftovers) => {
        expect(parsed({ ...REVERTED, leftovers })?.leftovers).toHaveLength(leftovers.length);
      }),
    );
    expect(parsed({ ...REVERTED, leftovers: ['a rule', { chain: 'INPUT' }] })?.leftovers).toEqual([
      'a rule',
      '{"chain":"INPUT"}',
    ]);
    expect(parsed({ ...REVERTED, leftovers: 'a rule' })?.leftovers).toEqual(['a rule']);
  });

  it('shows a state or an end of the fence that nobody knows as it was said, and what is none as unreadable', () => {
    const fence = { outcome: 'HANDED_OVER' };
    expect(parsed({ ...REVERTED, state: 'SUSPENDED', fence })).toMatchObject({ state: 'SUSPENDED', fence });
    for (const unreadable of [7, 'SETTLED', {}, { outcome: 7 }])
      expect(parsed({ ...REVERTED, fence: unreadable })?.fence).toEqual({ outcome: 'UNREADABLE' });
  });

  it('has no effect rather than a part of one', () => {
    for (const wrong of [{ value: '12' }, { value: null }, { unit: undefined }, { observedAt: 7 }]) {
      const effect = { ...REVERTED.effect, ...wrong };
      expect(remarksOf(parsed({ ...REVERTED, effect }))).toEqual({ notes: REVERTED.notes });
    }
    // JSON has no infinity: as null in the log it would make that unreadable.
    const endless = JSON.stringify(REVERTED).replace('1234', '1e999');
    expect(parseHostReport(endless)).toMatchObject({ state: 'REVERTED', effect: undefined });
  });

  it('is no longer than the log has room for, however much a host says', () => {
    const long = 'x'.repeat(10_000);
    const words = { revertReason: long, appliedAt: long, liftedAt: long, effectLostAt: long, bootId: long };
    const fence = { outcome: long, raisedAt: long, loweredAt: long };
    const effect = { measure: long, value: Number.MIN_VALUE, unit: long, observedAt: long };
    const notes = Array.from({ length: 100 }, () => long);
    const report = parsed({ ...REVERTED, ...words, state: long, fence, effect, notes });
    for (const word of Object.values({ ...report?.fence })) expect(word).toHaveLength(MAX_WORD_CHARACTERS);
    for (const field of ['state', ...Object.keys(words)])
      expect(report).toHaveProperty(field, expect.stringMatching(new RegExp(`^x{${MAX_WORD_CHARACTERS - 1}}…$`)));
    expect(report?.notes).toEqual(firstLines(notes, MAX_NOTES, MAX_NOTE_CHARACTERS));
    expect(report?.notes?.at(-1)).toBe('and 97 more');
    expect(bytesOf(report?.effect)).toBeLessThan(5 * MAX_WORD_CHARACTERS);
  });

  it('keeps the last note, which says why an effect was lost, whatever is left out', () => {
    const notes = ['this kernel has no IP sets', 'a', 'b', 'c', 'no effect can be seen: the rule is gone'];
    expect(parsed({ ...REVERTED, notes })?.notes).toEqual([notes[4], notes[0], 'a', 'and 2 more']);
    expect(parsed({ ...REVERTED, notes: notes.slice(-3) })?.notes).toEqual(notes.slice(-3));
  });

  it('leaves nothing in the log where a host has nothing to say', () => {
    expect(remarksOf(parsed({ ...REVERTED, effect: null, notes: [] }))).toEqual({});
    expect(remarksOf(undefined)).toEqual({});
  });
});
