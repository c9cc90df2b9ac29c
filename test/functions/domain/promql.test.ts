import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { narrowed, rangesOf } from '../../../functions/domain/promql.ts';

describe('the ranges of an expression', () => {
  it.each([
    ['rate(x[5s])', [5]],
    ['x[1h30m] + y[ 500ms ] / z[1d]', [5400, 0.5, 86_400]],
    ['max_over_time(rate(x[5m])[1h:1m])', [300, 3600]],
    ['x{le="[1s]", a=\'[2s]\'}[3s] # not [4s]', [3]],
    ['x{a="\\"[1s]"}', []],
    ['x[300]', [300]],
    ['sum(x)', []],
  ])('of %s are %j', (promQl, seconds) => {
    expect(rangesOf(promQl).map((range) => range.seconds)).toEqual(seconds);
  });

  it('that are no duration are no number, so that nothing takes them for long', () => {
    for (const text of ['', 's', '5 s', '5q', '-5s', '$__interval'])
      expect(rangesOf(`x[${text}]`)).toEqual([{ text: `[${text}]`, seconds: Number.NaN }]);
  });

  it('are found wherever they stand, and add up', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(500), fc.nat(500)), { minLength: 1, maxLength: 5 }), (ranges) => {
        const text = ranges.map(([minutes, seconds]) => `rate(x[${minutes}m${seconds}s])`).join(' / ');
        expect(rangesOf(text).map(({ seconds }) => seconds)).toEqual(ranges.map(([m, s]) => m * 60 + s));
      }),
    );
  });
});

describe('a selector', () => {
  it.each([
    ['up', {}, 'up'],
    ['up', { matchers: ['a="b"'] }, 'up{a="b"}'],
    ['up{}', { matchers: ['a="b"'] }, 'up{a="b"}'],
    ['up{x="y", }', { matchers: ['a="b"'], suffix: '_bucket' }, 'up_bucket{x="y",a="b"}'],
    ['up{x="{}"}', { suffix: '_sum' }, 'up_sum{x="{}"}'],
  ])('%s narrowed by %j is %s', (selector, change, expected) => {
    expect(narrowed(selector, change)).toBe(expected);
  });
});
