import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demandsOf } from '../../../../functions/engines/cassandra/levels.ts';
import { factorsOf, rangesOf } from '../../../../functions/engines/cassandra/ring.ts';
import type { RingMember } from '../../../../functions/engines/cassandra/views.ts';
import { host, keyspace, member } from './fixtures.ts';

const rings = fc
  .array(
    fc.record({
      datacenter: fc.constantFrom('dc1', 'dc2'),
      rack: fc.constantFrom('r1', 'r2', 'r3'),
      tokens: fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 9 },
  )
  .map((all) =>
    all.map(
      ({ tokens, ...place }, id): RingMember =>
        // Each has tokens of its own.
        member(id, { ...place, tokens: tokens.map((token) => BigInt(token) * 10n + BigInt(id)) }),
    ),
  );

describe('the replicas of a token range', () => {
  it('are in each datacenter as many as there are to be, or all that there are', () => {
    fc.assert(
      fc.property(rings, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (ring, dc1, dc2) => {
        const ranges = rangesOf(ring, keyspace('k', { dc1: String(dc1), dc2: String(dc2) })) ?? [];
        expect(ranges.length).toBeGreaterThan(0);
        for (const { replicas } of ranges) {
          for (const [datacenter, factor] of Object.entries({ dc1, dc2 })) {
            const own = ring.filter((each) => each.datacenter === datacenter);
            const chosen = replicas[datacenter] ?? [];
            expect(new Set(chosen).size).toBe(Math.min(factor, own.length));
            const racks = new Set(own.map(({ rack }) => rack)).size;
            const used = new Set(own.filter(({ hostId }) => chosen.includes(hostId)).map(({ rack }) => rack)).size;
            // As many racks as possible: two copies in one only where the racks are too few.
            expect(used).toBe(Math.min(racks, factor, own.length));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are the next ones on the ring, of each rack one, and each set of them is there once', () => {
    const ring = [1, 2, 3, 4].map((id) => member(id, { rack: id % 2 === 0 ? 'even' : 'odd' }));
    expect(rangesOf(ring, keyspace('k', { dc1: '2' }))).toEqual([
      { token: 100n, replicas: { dc1: [host(1), host(2)] } },
      { token: 200n, replicas: { dc1: [host(2), host(3)] } },
      { token: 300n, replicas: { dc1: [host(3), host(4)] } },
      { token: 400n, replicas: { dc1: [host(1), host(4)] } },
    ]);
    expect(rangesOf(ring, keyspace('k', { dc1: '4' }))).toHaveLength(1);
    const racked = [1, 2, 3].map((id) => member(id, { rack: id === 3 ? 'other' : 'same' }));
    expect(rangesOf(racked, keyspace('k', { dc1: '2' }))?.map(({ replicas }) => replicas.dc1)).toEqual([
      [host(1), host(3)],
      [host(2), host(3)],
    ]);
  });

  it('are anywhere where a datacenter means nothing, and unknown where nobody knows the strategy', () => {
    const ring = [1, 2, 3].map((id) => member(id, { datacenter: `dc${id}` }));
    const simple = {
      name: 'k',
      strategy: 'org.apache.cassandra.locator.SimpleStrategy',
      factors: { replication_factor: '2' },
    };
    expect(rangesOf(ring, simple)?.[0]?.replicas).toEqual({ dc1: [host(1)], dc2: [host(2)] });
    expect(factorsOf(simple)?.anywhere).toBe(2);
    expect(rangesOf(ring, { ...simple, strategy: 'com.example.Mine' })).toBeUndefined();
    expect(rangesOf(ring, keyspace('k', { dc1: '3/1' }))).toBeUndefined();
  });
});

describe('what a level asks for', () => {
  const factors = { byDatacenter: new Map(Object.entries({ dc1: 3, dc2: 2 })), anywhere: 5 };
  const both = ['dc1', 'dc2'];
  it.each([
    ['ANY', []],
    ['ONE', [{ needed: 1 }]],
    ['TWO', [{ needed: 2 }]],
    ['THREE', [{ needed: 3 }]],
    ['QUORUM', [{ needed: 3 }]],
    ['ALL', [{ needed: 5 }]],
    ['LOCAL_ONE', both.map((datacenter) => ({ datacenter, needed: 1 }))],
    ['LOCAL_QUORUM', both.map((datacenter) => ({ datacenter, needed: 2 }))],
    ['EACH_QUORUM', both.map((datacenter) => ({ datacenter, needed: 2 }))],
  ] as const)('is for %s counted as Cassandra counts', (level, demands) => {
    expect(demandsOf(level, factors, both)).toEqual(demands);
  });

  it('holds where the clients are, and over all where a datacenter means nothing', () => {
    expect(demandsOf('LOCAL_QUORUM', factors, ['dc2'])).toEqual([{ datacenter: 'dc2', needed: 2 }]);
    expect(demandsOf('EACH_QUORUM', { byDatacenter: new Map(), anywhere: 3 }, ['dc1'])).toEqual([{ needed: 2 }]);
  });
});
