import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createProgress } from '../../../lab/traffic/progress.ts';

describe('progress', () => {
  test('no record is passed over that a worker still has, and in the end all are', () => {
    const orders = fc.integer({ min: 1, max: 20 }).chain((count) => {
      const offsets = Array.from({ length: count }, (_, index) => BigInt(index));
      return fc.shuffledSubarray(offsets, { minLength: count, maxLength: count });
    });
    fc.assert(
      fc.property(orders, (finished) => {
        const progress = createProgress();
        progress.assign([0]);
        for (let offset = 0n; offset < BigInt(finished.length); offset += 1n) progress.take(0, offset);
        const open = new Set(finished);
        for (const offset of finished) {
          progress.finish(0, offset);
          open.delete(offset);
          const [position] = progress.positions();
          for (const left of open) expect(left >= (position?.offset ?? 0n)).toBe(true);
          progress.committed(progress.positions());
          expect(progress.positions()).toEqual([]);
        }
        const again = createProgress();
        again.assign([0]);
        for (const offset of [...finished].sort((a, b) => Number(a - b))) again.take(0, offset);
        for (const offset of finished) again.finish(0, offset);
        expect(again.positions()).toEqual([{ partition: 0, offset: BigInt(finished.length) }]);
      }),
    );
  });

  test('a partition that another member has now is not committed to, whatever is still finished', () => {
    const progress = createProgress();
    progress.assign([0, 1]);
    progress.take(0, 5n);
    progress.take(1, 7n);
    progress.assign([1]);
    progress.finish(0, 5n);
    progress.finish(1, 7n);
    progress.take(0, 6n);
    expect(progress.positions()).toEqual([{ partition: 1, offset: 8n }]);
  });

  test('a record that came again after a rebalance is finished when every worker that has it is', () => {
    const progress = createProgress();
    progress.assign([0]);
    progress.take(0, 5n);
    progress.assign([0]);
    progress.take(0, 5n);
    progress.finish(0, 5n);
    expect(progress.positions()).toEqual([{ partition: 0, offset: 5n }]);
    progress.finish(0, 5n);
    expect(progress.positions()).toEqual([{ partition: 0, offset: 6n }]);
  });
});
