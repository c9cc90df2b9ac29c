import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DEPTH, readStrictJson } from '../../../functions/domain/strict-json.ts';

function fieldsOf(text: string): string[] {
  const read = readStrictJson(text);
  return read.ok ? [] : read.errors.map(({ field, message }) => `${field} ${message}`);
}

/** Whatever may stand in a document, with names that an object keeps in the order in which they are written. */
const name = fc.stringMatching(/^[a-zé .]{1,6}$/);
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
}));
const document = fc.dictionary(name, anyValue, { minKeys: 1, maxKeys: 5 });

describe('a document that can be read in one way only', () => {
  it('is read as JSON.parse reads it, however it is laid out', () => {
    fc.assert(
      fc.property(document, fc.constantFrom('', ' ', '\t', '\n  '), (value, layout) => {
        expect(readStrictJson(JSON.stringify(value, null, layout))).toEqual({ ok: true, value });
      }),
    );
  });

  it('is never what JSON.parse would not read', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'{}[]",:0-1e.\\u tn') })), (text) => {
        const read = readStrictJson(text);
        if (read.ok) expect(read.value).toEqual(JSON.parse(text));
        else expect(read.errors.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('a name that is written with an escape', () => {
  it.each(['"', '\\', '\n', '\u0000'])('is refused, because a reader may take it for another: %j', (character) => {
    const odd = JSON.stringify(`a${character}`);
    expect(fieldsOf(`{"b":{${odd}:1}}`)).toEqual([
      expect.stringMatching(/^b\.a.* is a name that is written with an escape$/s),
    ]);
    expect(fieldsOf(`{"b":${odd}}`)).toEqual([]);
  });
});

describe('a name that is given twice', () => {
  it('is refused by its path wherever it stands, also when both say the same', () => {
    fc.assert(
      fc.property(document, anyValue, fc.nat(), (value, other, position) => {
        const names = Object.keys(value);
        const twice = names[position % names.length] ?? '';
        const text = `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(twice)}:${JSON.stringify(other)}}`;
        expect(fieldsOf(`{"a":[1,${text}]}`)).toEqual([`a.1.${twice} is given twice`]);
      }),
    );
  });

  it('is seen through its escapes, and is no name where it is a value or stands in another object', () => {
    expect(fieldsOf('{"dryRun":true,"\\u0064ryRun":false}')).toContain('dryRun is given twice');
    expect(fieldsOf('{"a":"a","b":{"a":"b"},"c":["a","a",{"a":1},{"a":1}]}')).toEqual([]);
  });
});

describe('a number', () => {
  it.each([
    '1e400',
    '-1e400',
    '9007199254740993',
    '9007199254740991',
    '1.0000000000000001',
    '1e-400',
    '1e16',
    `1${'0'.repeat(60_000)}1`,
  ])('is refused by the name of its field when it would not be kept as it was sent: %s', (number) => {
    expect(fieldsOf(`{"a":{"b":[0,${number}]}}`)).toEqual(['a.b.1 is a number that would not be kept as it was sent']);
  });

  it.each(['0', '-0', '60.0', '6e1', '123456789012345', '0.1', '1E-5', '100000000000000000e-5'])(
    'is taken: %s',
    (number) => {
      expect(readStrictJson(`{"a":${number}}`)).toEqual({ ok: true, value: { a: Number(number) } });
    },
  );
});

describe('a document that is no plain object', () => {
  it('is refused for its byte order mark, for what is no JSON, and for what is no object', () => {
    expect(fieldsOf('\uFEFF{}')).toEqual(['(body) begins with a byte order mark']);
    expect(fieldsOf('{"a":1}{"a":2}')).toEqual([expect.stringContaining('(body) is not JSON: ')]);
    for (const text of ['null', '[]', '1', '"x"']) expect(fieldsOf(text)).toEqual(['(body) is not an object']);
  });

  it('is refused for its depth, however deep, and taken up to the limit', () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(fieldsOf(nested(MAX_DEPTH))).toEqual([]);
    for (const depth of [MAX_DEPTH + 1, 30_000])
      expect(fieldsOf(nested(depth))).toEqual([expect.stringContaining('is nested too deep')]);
  });

  it('is refused for a name that validators skip, and for half a character', () => {
    expect(fieldsOf('{"a":{"__proto__":1}}')).toEqual(['a.__proto__ is not a known field']);
    expect(fieldsOf('{"a":"\\ud800"}')).toEqual(['a holds half of a surrogate pair']);
  });

  it('is refused in few words, however much is wrong with it', () => {
    const many = `{${Array.from({ length: 5000 }, () => '"a":1e400').join(',')}}`;
    expect(fieldsOf(many).length).toBeLessThanOrEqual(20);
    const long = 'x'.repeat(60_000);
    expect(JSON.stringify(fieldsOf(`{"${long}":1,"${long}":1}`)).length).toBeLessThan(1000);
  });
});
