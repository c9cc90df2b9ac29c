import fc from 'fast-check';
import { expect, it } from 'vitest';
import { samplesOf, valueNear } from '../../../functions/domain/check-samples.ts';
import type { RawReading } from '../../../functions/domain/guardrails.ts';

const FROM = 1000;
/** What Prometheus says at each of some seconds when it scraped at these moments, a value each. */
function saying(scrapes: readonly number[], untilSecond: number): Map<number, RawReading> {
  const readings = new Map<number, RawReading>();
  for (let second = FROM; second <= untilSecond; second++) {
    const newest = scrapes.findLast((scrape) => scrape <= second);
    readings.set(second * 1000, newest === undefined ? {} : { value: newest, ageSeconds: second - newest });
  }
  return readings;
}

it('a value counts for the second of its sample alone, however long it is still given', () => {
  expect(samplesOf(saying([FROM + 2.5, FROM + 8.1], FROM + 12), FROM)).toEqual([
    ...[null, null, FROM + 2.5, null, null, null, null, null, FROM + 8.1],
  ]);
});

it('no value is of a second in which nothing was sampled, and each sample has its second', () => {
  // No source is scraped more often than once a second.
  const steps = fc.array(fc.integer({ min: 10, max: 70 }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9 }), steps, (first, apart) => {
      let tenth = first;
      const sorted = [0, ...apart].map((step) => {
        tenth += step;
        return FROM + tenth / 10;
      });
      const values = samplesOf(saying(sorted, FROM + 100), FROM);
      for (const [index, value] of values.entries()) {
        const own = sorted.filter((scrape) => Math.floor(scrape) === FROM + index);
        if (value === null) expect(own).toEqual([]);
        else expect(own).toContain(value);
      }
    }),
  );
});

it('a second between two samples has the nearest, and none from outside of the time that is asked about', () => {
  const line = { values: [1, null, null, 4, null, null, null, null, 9], fromSecond: 0, gapSeconds: 3 };
  const all = { from: 0, until: 8 };
  expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map((second) => valueNear(line, second, all))).toEqual([
    1, 1, 4, 4, 4, 4, 9, 9, 9,
  ]);
  expect([1, 2].map((second) => valueNear(line, second, { from: 1, until: 2 }))).toEqual([null, null]);
  expect(valueNear({ ...line, gapSeconds: 1 }, 1, all)).toBeNull();
});

it('of what a query gives while no new sample comes, as a rate does, the first counts: it was the newest then', () => {
  const readings = new Map(
    [3, 4, 5].map((second) => [(FROM + second) * 1000, { value: second, ageSeconds: second - 2.5 }]),
  );
  expect(samplesOf(readings, FROM)).toEqual([null, null, 3]);
});
