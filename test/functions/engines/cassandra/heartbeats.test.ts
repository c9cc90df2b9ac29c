import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeartbeatMemory, STILL_AFTER_MS } from '../../../../functions/engines/cassandra/heartbeats.ts';

const beat = (version: number, generation = 1) => [{ hostId: 'h', generation, version, status: 'NORMAL' }];

describe('a heartbeat', () => {
  it('is unknown at the first look, and moves at the second only if it has', () => {
    const memory = new HeartbeatMemory();
    expect(memory.movementOf('v', 'h', 0)).toEqual({ state: 'unknown' });
    memory.note('v', beat(7), 0);
    expect(memory.movementOf('v', 'h', 0)).toEqual({ state: 'unknown' });
    memory.note('v', beat(7), 2000);
    expect(memory.movementOf('v', 'h', 2000)).toEqual({ state: 'unknown' });
    memory.note('v', beat(8), 3000);
    expect(memory.movementOf('v', 'h', 3000)).toEqual({ state: 'moving' });
  });

  it('of a stopped node stands still, although it still says NORMAL', () => {
    const memory = new HeartbeatMemory();
    for (let second = 0; second <= 7; second += 1) memory.note('v', beat(7), second * 1000);
    expect(memory.movementOf('v', 'h', 7000)).toEqual({ state: 'still', forMs: 7000 });
  });

  it('of one that was started again moves, however low it begins', () => {
    const memory = new HeartbeatMemory();
    memory.note('v', beat(900), 0);
    memory.note('v', beat(1, 2), 20_000);
    expect(memory.movementOf('v', 'h', 20_000)).toEqual({ state: 'moving' });
  });

  it('is each viewer’s own: nobody speaks for another, and who left the ring is forgotten', () => {
    const memory = new HeartbeatMemory();
    memory.note('v', beat(1), 0);
    memory.note('v', beat(2), 1000);
    memory.note('w', beat(2), 1000);
    expect(memory.movementOf('w', 'h', 1000)).toEqual({ state: 'unknown' });
    memory.note('v', [], 2000);
    expect(memory.movementOf('v', 'h', 2000)).toEqual({ state: 'unknown' });
  });

  it('is never called moving when its value has been one and the same for so long, at whatever times it is looked at', () => {
    const step = fc.record({ afterMs: fc.integer({ min: 0, max: 4000 }), moves: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const memory = new HeartbeatMemory();
        let [now, version, changedAt] = [0, 1, 0];
        memory.note('v', beat(version), now);
        for (const { afterMs, moves } of steps) {
          now += afterMs;
          if (moves) [version, changedAt] = [version + 1, now];
          memory.note('v', beat(version), now);
          const { state } = memory.movementOf('v', 'h', now);
          expect(state === 'still').toBe(now - changedAt >= STILL_AFTER_MS);
          expect(state === 'moving').toBe(version > 1 && now - changedAt < STILL_AFTER_MS);
        }
      }),
    );
  });
});
