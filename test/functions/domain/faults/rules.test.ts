import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type RuleName, refinementOf, rule, wordsOf } from '../../../../functions/domain/faults/rules.ts';

const any = z.object({ one: z.number().optional(), other: z.number().optional() });
const lists = z.object({ one: z.array(z.string()).optional(), other: z.array(z.string()) });

function problems(name: RuleName, parameters: object, schema: z.ZodObject = any) {
  const { error } = schema.refine(...refinementOf(rule(name, 'one', 'other'))).safeParse(parameters);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);
}

describe('a rule between two fields', () => {
  it.each<[RuleName, object, string[]]>([
    ['exactlyOne', {}, ['one is needed, or other, and not both']],
    ['exactlyOne', { one: 1 }, []],
    ['exactlyOne', { other: 1 }, []],
    ['exactlyOne', { one: 1, other: 1 }, ['one is needed, or other, and not both']],
    ['notBoth', {}, []],
    ['notBoth', { one: 1, other: 1 }, ['one stands beside other']],
    ['onlyWith', { other: 1 }, []],
    ['onlyWith', { one: 0 }, []],
    ['onlyWith', { one: 1, other: 1 }, []],
    ['onlyWith', { one: 1 }, ['one stands without other']],
    ['onlyWith', { one: 1, other: 0 }, ['one stands without other']],
    ['atMost', { one: 2, other: 2 }, []],
    ['atMost', { one: 3, other: 2 }, ['one is more than other']],
    ['atMost', { one: 3 }, []],
    ['lessThan', { one: 2, other: 3 }, []],
    ['lessThan', { one: 2, other: 2 }, ['other is not more than one']],
    ['lessThan', { other: 2 }, []],
    ['lessThan', { one: 2, other: 0 }, []],
  ])('%s: %j', (name, parameters, expected) => {
    expect(problems(name, parameters)).toEqual(expected);
  });

  it.each([
    [{ one: ['a'], other: ['b'] }, []],
    [{ other: ['b'] }, []],
    [{ one: ['a', 'b'], other: ['b', 'c'] }, ['one names a node that is in other']],
  ])('disjoint: %j', (parameters, expected) => {
    expect(problems('disjoint', parameters, lists)).toEqual(expected);
  });

  it('is said beside the mistakes of other fields, and not of a field that is wrong by itself', () => {
    const schema = any.extend({ third: z.number() });
    expect(problems('atMost', { one: 3, other: 2 }, schema)).toContain('one is more than other');
    expect(problems('atMost', { one: 'x', other: 2, third: 1 }, schema)).toHaveLength(1);
  });

  it('is part of the words of both fields, as far as it says something of each', () => {
    expect(wordsOf([rule('exactlyOne', 'one', 'other')], 'one')).toEqual(['this or other']);
    expect(wordsOf([rule('exactlyOne', 'one', 'other')], 'other')).toEqual(['this or one']);
    expect(wordsOf([rule('atMost', 'one', 'other'), rule('onlyWith', 'one', 'third')], 'one')).toEqual([
      'no more than other',
      'only with third',
    ]);
    expect(wordsOf([rule('lessThan', 'one', 'other')], 'other')).toEqual(['more than one']);
    expect(wordsOf([rule('lessThan', 'one', 'other')], 'one')).toEqual([]);
  });
});
