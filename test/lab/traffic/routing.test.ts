import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SHARDS } from '../../../lab/fleet/fleet.ts';
import { createOpenLoop, MAX_BURST } from '../../../lab/traffic/open-loop.ts';
import { CANARY_EVERY_N_REQUESTS, CANARY_SHARD, shardOf } from '../../../lab/traffic/routing.ts';

function windowFrom(start: number, length: number): string[] {
  return Array.from({ length }, (_, offset) => shardOf(start + offset));
}

describe('routing', () => {
  test('the canary gets exactly one of any 333 consecutive requests, so that its outage stays under the limit', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), (start) => {
        const shards = windowFrom(start, CANARY_EVERY_N_REQUESTS);
        expect(shards.filter((shard) => shard === CANARY_SHARD)).toHaveLength(1);
      }),
    );
  });

  test('every gateway sees every shard, the canary in turn', () => {
    for (const gateway of [0, 1]) {
      const seen = new Set(windowFrom(0, 4 * CANARY_EVERY_N_REQUESTS).filter((_, n) => n % 2 === gateway));
      expect([...seen].sort()).toEqual([...SHARDS].sort());
    }
  });

  test('the other shards share the rest evenly', () => {
    const shards = windowFrom(0, 3 * CANARY_EVERY_N_REQUESTS);
    const counts = SHARDS.filter((shard) => shard !== CANARY_SHARD).map(
      (shard) => shards.filter((candidate) => candidate === shard).length,
    );
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(3);
  });
});

describe('open loop', () => {
  test('arrivals follow the clock and not the answers: nothing is lost however the turns fall', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1, maxLength: 200 }), (turnsMs) => {
        const loop = createOpenLoop(1_000, 0);
        let nowMs = 0;
        let sent = 0;
        for (const turnMs of turnsMs) {
          nowMs += turnMs;
          sent += loop.due(nowMs);
        }
        expect(sent).toBe(nowMs);
        expect(loop.skipped()).toBe(0);
      }),
    );
  });

  test('a generator that was held up catches up in small bursts and reports what it gave up', () => {
    const loop = createOpenLoop(1_000, 0);
    expect(loop.due(3_000)).toBe(MAX_BURST);
    expect(loop.skipped()).toBe(2_000);
    let sent = MAX_BURST;
    for (let turn = 0; turn < 100; turn += 1) sent += loop.due(3_000);
    expect(sent).toBe(1_000);
  });
});
