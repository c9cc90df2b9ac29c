import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, kindOf } from '../../../../functions/domain/faults/catalogue.ts';
import {
  byDefault,
  eitherWay,
  type Field,
  oneOf,
  optional,
  portNumbers,
  wholeNumber,
  yesNo,
} from '../../../../functions/domain/faults/fields.ts';
import { anchored } from '../../../../functions/domain/faults/patterns.ts';
import { valuesOf } from '../kind-parameters.ts';

const takes = ({ text }: Field, written: string) => new RegExp(anchored(text?.pattern ?? '(?!)')).test(written);
const accepts = ({ schema }: Field, value: unknown) => schema.safeParse(value).success;

const size = fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 20_000 }), fc.nat({ max: 2 ** 46 }));
const range = fc.tuple(size, size).map((two) => ({ min: Math.min(...two), max: Math.max(...two) }));
/** Numbers at the ends of a range, in it, and anywhere. */
const near = ({ min, max }: { min: number; max: number }) =>
  fc.oneof(
    fc.tuple(fc.constantFrom(min, max), fc.integer({ min: -12, max: 12 })).map(([end, step]) => end + step),
    fc.integer({ min, max }),
    fc.maxSafeInteger(),
  );

describe('a whole number', () => {
  it('is the same to the API, to the pattern and in words: its range and nothing else', () => {
    const cases = range.chain((limits) => fc.tuple(fc.constant(limits), near(limits)));
    fc.assert(
      fc.property(cases, ([limits, number]) => {
        const field = wholeNumber('cores', limits);
        const isIn = limits.min <= number && number <= limits.max;
        expect(accepts(field, number)).toBe(isIn);
        expect(takes(field, String(number))).toBe(isIn);
        expect(field.words).toBe(`a whole number from ${limits.min} to ${limits.max}: cores`);
      }),
      { numRuns: 1_000 },
    );
  });

  it('that may be left out is told as 0 then, and 0 is nothing else', () => {
    const above = range.map(({ min, max }) => ({ min: min + 1, max: max + 1 }));
    const cases = above.chain((limits) => fc.tuple(fc.constant(limits), near(limits)));
    fc.assert(
      fc.property(cases, ([limits, number]) => {
        const field = optional(wholeNumber('cores', limits), 'all');
        expect(accepts(field, undefined)).toBe(true);
        expect(field.text?.write(undefined)).toBe('0');
        expect(accepts(field, 0)).toBe(false);
        expect(takes(field, String(number))).toBe(number === 0 || accepts(field, number));
        expect(field.text?.words).toBe(`${field.words}; 0: all`);
      }),
    );
  });

  it('that goes either way is never 0', () => {
    const cases = fc
      .integer({ min: 1, max: 300_000 })
      .chain((furthest) => fc.tuple(fc.constant(furthest), near({ min: -furthest, max: furthest })));
    fc.assert(
      fc.property(cases, ([furthest, number]) => {
        const field = eitherWay('drift', furthest);
        const isIn = number !== 0 && Math.abs(number) <= furthest;
        expect(accepts(field, number)).toBe(isIn);
        expect(takes(field, String(number))).toBe(isIn);
        expect(takes(field, '-0')).toBe(false);
        expect(field.words).toContain(`from -${furthest} to ${furthest}, not 0`);
      }),
    );
  });
});

describe('words, yes or no, ports', () => {
  const scope = oneOf('who loses the node', ['isolate', 'peers']);
  const mayBe = yesNo('is it so?');
  const ports = portNumbers('those that are cut', 3);

  it.each(['isolat', 'isolate,peers', 'isolatepeers', '', 'ISOLATE', 'isolate\n'])(
    'takes no other word: %j',
    (word) => {
      expect([accepts(scope, word), takes(scope, word)]).toEqual([false, false]);
      expect([accepts(scope, 'peers'), takes(scope, 'peers')]).toEqual([true, true]);
    },
  );

  it('tells a yes or no in words', () => {
    expect([true, false].map((value) => mayBe.text.write(value))).toEqual(['yes', 'no']);
    expect(['yes', 'no', 'true', ''].map((text) => takes(mayBe, text))).toEqual([true, true, false, false]);
  });

  it('takes as many different ports as it says, each of them a port, and tells none as an empty text', () => {
    const lists = fc.array(near({ min: 1, max: 65_535 }), { maxLength: 5 });
    fc.assert(
      fc.property(lists, (list) => {
        const right = list.length >= 1 && list.length <= 3 && list.every((port) => port >= 1 && port <= 65_535);
        expect(takes(ports, list.join(','))).toBe(right);
        expect(accepts(ports, list)).toBe(right && new Set(list).size === list.length);
      }),
    );
    expect(takes(ports, '1,2,65535')).toBe(true);
    const anyPorts = optional(ports, 'all');
    expect(anyPorts.text?.write(undefined)).toBe('');
    expect([takes(anyPorts, ''), takes(anyPorts, ','), takes(anyPorts, '1,')]).toEqual([true, false, false]);
  });

  it('says what a field is that was left out', () => {
    const field = byDefault('peers', scope);
    expect(field.schema.parse(undefined)).toBe('peers');
    expect(field.leftOut).toBe('peers');
    expect(field.text).toEqual(scope.text);
  });
});

describe.each(FAULT_KINDS)('every value that a field of %s may hold', (kind) => {
  it.each(Object.entries(kindOf(kind).fields))('is taken and told in a form of its pattern: %s', (_name, field) => {
    fc.assert(
      fc.property(valuesOf(field.values), (value) => {
        expect(accepts(field, value)).toBe(true);
        if (field.text) expect(takes(field, field.text.write(value))).toBe(true);
      }),
    );
  });
});
