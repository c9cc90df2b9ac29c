import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TrafficShare } from '../../../lab/fleet/engine.ts';
import { SHARDS } from '../../../lab/fleet/fleet.ts';
import { createOpenLoop, MAX_BURST } from '../../../lab/traffic/open-loop.ts';
import {
  CACHE,
  CANARY_EVERY_N_REQUESTS,
  CANARY_SHARD,
  createRouting,
  ROUTING,
  type Routing,
} from '../../../lab/traffic/routing.ts';

const STORE: TrafficShare = { canaries: [{ shards: ['shard-1'] }], busy: ['shard-2', 'shard-3', 'shard-4'] };
const QUIET: TrafficShare = { canaries: [{ shards: ['quiet-1'] }], busy: [] };
const RECORDS: TrafficShare = { canaries: [{ shards: ['log-0', 'log-1', 'log-2'], writeOnly: true }], busy: [] };

function windowFrom(routing: Routing, start: number, length: number): string[] {
  return Array.from({ length }, (_, offset) => routing.requestOf(start + offset).lane);
}

const anyLab = fc.subarray([STORE, QUIET, RECORDS], { minLength: 1 });
const anyStart = fc.nat(1_000_000_000);

describe('routing', () => {
  test('each canary gets exactly one of any 333 consecutive requests, so that its outage stays under the limit', () => {
    fc.assert(
      fc.property(anyLab, anyStart, (shares, start) => {
        const lanes = windowFrom(createRouting(shares), start, CANARY_EVERY_N_REQUESTS);
        for (const { shards } of shares.flatMap(({ canaries }) => canaries)) {
          expect(lanes.filter((lane) => shards.includes(lane))).toHaveLength(1);
        }
      }),
    );
  });

  test('who has more slots gets that many of any 333 requests, never two in a row, and the others no fewer', () => {
    const shares = [STORE, { busy: [], canaries: [{ shards: ['borne'], slots: 16 }, { shards: ['felt'] }] }];
    fc.assert(
      fc.property(anyStart, (start) => {
        const lanes = windowFrom(createRouting(shares), start, CANARY_EVERY_N_REQUESTS);
        const of = (name: string) => lanes.filter((lane) => lane === name).length;
        expect([of('borne'), of('felt'), of('shard-1')]).toEqual([16, 1, 1]);
        const rest = windowFrom(createRouting(shares), 3, CANARY_EVERY_N_REQUESTS - 3);
        expect(rest.some((lane, index) => lane === 'borne' && rest[index + 1] === 'borne')).toBe(false);
      }),
    );
  });

  test('what no canary takes goes to the busy shards, and to the cache of the gateways only where there are none', () => {
    fc.assert(
      fc.property(anyLab, anyStart, (shares, start) => {
        const routing = createRouting(shares);
        const canaries = shares.flatMap((share) => share.canaries);
        const rest = windowFrom(routing, start, CANARY_EVERY_N_REQUESTS).filter(
          (lane) => !canaries.some(({ shards }) => shards.includes(lane)),
        );
        expect(rest).toHaveLength(CANARY_EVERY_N_REQUESTS - canaries.length);
        expect([...new Set(rest)].sort()).toEqual(shares.includes(STORE) ? STORE.busy : [CACHE]);
      }),
    );
  });

  test('nobody reads from what is only written to', () => {
    const routing = createRouting([RECORDS]);
    fc.assert(
      fc.property(anyStart, (n) => {
        const { lane, isRead } = routing.requestOf(n);
        expect(isRead).toBe(lane === CACHE && n % 10 === 9);
      }),
    );
  });

  test('an engine that is only written to changes nothing for requests that it does not get', () => {
    const [alone, both] = [createRouting([STORE, QUIET]), createRouting([STORE, QUIET, RECORDS])];
    fc.assert(
      fc.property(anyStart, (n) => {
        if (both.requestOf(n).lane.startsWith('log-')) expect(n % CANARY_EVERY_N_REQUESTS).toBe(2);
        else expect(both.requestOf(n)).toEqual(alone.requestOf(n));
      }),
    );
  });

  test('the requests of the fleet without other engines are what they have always been', () => {
    fc.assert(
      fc.property(anyStart, (n) => {
        const lane = n % 333 === 0 ? 'shard-1' : `shard-${2 + (n % 3)}`;
        expect(createRouting([STORE]).requestOf(n)).toEqual({ lane, isRead: n % 10 === 9 });
      }),
    );
  });

  test('every gateway sees every lane, each shard of a canary in turn', () => {
    for (const routing of [ROUTING, createRouting([RECORDS])]) {
      for (const gateway of [0, 1]) {
        const own = windowFrom(routing, 0, 12 * CANARY_EVERY_N_REQUESTS).filter((_, n) => n % 2 === gateway);
        expect([...new Set(own)].sort()).toEqual(routing.lanes.map(({ name }) => name).sort());
      }
    }
  });

  test('the lanes of this lab are the shards of its fleet, and experiments start at the first', () => {
    expect(ROUTING.lanes.map(({ name }) => name)).toEqual(SHARDS);
    expect(CANARY_SHARD).toBe(SHARDS[0]);
  });

  test('the busy shards share the rest evenly', () => {
    const lanes = windowFrom(createRouting([STORE]), 0, 3 * CANARY_EVERY_N_REQUESTS);
    const counts = STORE.busy.map((shard) => lanes.filter((lane) => lane === shard).length);
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
