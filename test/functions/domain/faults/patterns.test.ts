import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PATTERN } from '../../../../functions/domain/faults/patterns.ts';

const ranges = fc
  .tuple(fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 20_000 })), fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 20_000 })))
  .map(([one, other]): [number, number] => [Math.min(one, other), Math.max(one, other)]);
const matches = (minimum: number, maximum: number, text: string) =>
  new RegExp(`^${PATTERN.wholeNumber(minimum, maximum)}$`).test(text);

describe('the pattern of a whole number', () => {
  it('takes the numbers of its range and no others, around both of its ends', () => {
    fc.assert(
      fc.property(ranges, ([minimum, maximum]) => {
        for (const end of [minimum, maximum]) {
          for (let number = Math.max(0, end - 12); number <= end + 12; number++)
            expect(matches(minimum, maximum, `${number}`), `${number} in ${minimum}..${maximum}`).toBe(
              minimum <= number && number <= maximum,
            );
        }
      }),
    );
  });

  it('takes a number of its range wherever that lies, and none with a digit more or less', () => {
    const within = ranges.chain(([minimum, maximum]) =>
      fc.tuple(fc.constant(minimum), fc.constant(maximum), fc.integer({ min: minimum, max: maximum })),
    );
    fc.assert(
      fc.property(within, fc.nat({ max: 9 }), ([minimum, maximum, number], digit) => {
        expect(matches(minimum, maximum, `${number}`)).toBe(true);
        const longer = Number(`${number}${digit}`);
        expect(matches(minimum, maximum, `${longer}`)).toBe(longer <= maximum);
      }),
    );
  });

  it('takes nothing that is written in another way', () => {
    fc.assert(
      fc.property(ranges, ([minimum, maximum]) => {
        for (const end of [minimum, maximum]) {
          const written = [`0${end}`, `+${end}`, `-${end}`, `${end}.0`, ` ${end}`, `${end}\n`, `${end}e0`, ''];
          for (const text of written) expect(matches(minimum, maximum, text), JSON.stringify(text)).toBe(false);
        }
      }),
    );
  });
});
