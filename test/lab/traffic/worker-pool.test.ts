import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWorkerPool } from '../../../lab/traffic/worker-pool.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('worker pool', () => {
  test('who hands over work to a full pool is held up until a worker is free', async () => {
    const pool = createWorkerPool(1);
    let finish = () => {};
    await pool.hand(() => new Promise((resolve) => (finish = resolve)));
    let isTaken = false;
    const second = pool.hand(async () => {}).then(() => (isTaken = true));
    await turn();
    expect([pool.free(), isTaken]).toEqual([0, false]);
    finish();
    await second;
    await turn();
    expect([pool.free(), isTaken]).toEqual([1, true]);
  });

  test('never more at once than there are workers, nothing is left undone, and all are free at the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(3), { maxLength: 20 }),
        async (size, durations) => {
          const pool = createWorkerPool(size);
          let [running, most, done] = [0, 0, 0];
          for (const turns of durations) {
            await pool.hand(async () => {
              running += 1;
              most = Math.max(most, running);
              expect(pool.free()).toBe(size - running);
              for (let count = 0; count < turns; count += 1) await turn();
              running -= 1;
              done += 1;
            });
          }
          while (pool.free() < size) await turn();
          expect(done).toBe(durations.length);
          expect(most).toBeLessThanOrEqual(size);
        },
      ),
    );
  });
});
