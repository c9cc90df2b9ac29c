import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from './simulated-clock.ts';

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('simulated time', () => {
  let looks = 0;

  it('passes for a loop as long as the test lasts', async () => {
    const clock = new SimulatedClock();
    void (async () => {
      for (;;) {
        await clock.sleep(1000);
        looks += 1;
      }
    })();
    await turns(50);
    expect(looks).toBeGreaterThan(10);
  });

  it('does not pass any more for a loop that an earlier test has left', async () => {
    const before = looks;
    await turns(50);
    expect(looks).toBe(before);
  });

  it('leaves no listener behind at a signal, as the clock of the system leaves none', async () => {
    const clock = new SimulatedClock();
    const { signal } = new AbortController();
    for (let slept = 0; slept < 100; slept++) await clock.sleep(10, signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('wakes whoever sleeps when he is interrupted, or was before, with the reason', async () => {
    const clock = new SimulatedClock();
    const stop = new AbortController();
    const sleeping = clock.sleep(10, stop.signal);
    stop.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(clock.sleep(10, stop.signal)).rejects.toThrow('enough');
    expect(clock.monotonicMs()).toBe(0);
  });
});
