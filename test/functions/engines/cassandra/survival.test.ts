import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsistencyLevel } from '../../../../functions/engines/cassandra/configuration.ts';
import { cassandraEngine } from '../../../../functions/engines/cassandra/engine.ts';
import { answer, cassandraCluster, keyspace, liveNode, member, merge, node, seen } from './fixtures.ts';

const LEVELS = ['ONE', 'TWO', 'LOCAL_ONE', 'LOCAL_QUORUM', 'QUORUM', 'EACH_QUORUM', 'ALL'] as const;
const { refuseLoss } = cassandraEngine(cassandraCluster());

const cluster = fc
  .record({
    datacenters: fc.array(fc.constantFrom('dc1', 'dc2'), { minLength: 1, maxLength: 7 }),
    factors: fc.record({ dc1: fc.integer({ min: 1, max: 4 }), dc2: fc.integer({ min: 1, max: 4 }) }),
    level: fc.constantFrom(...LEVELS),
    lost: fc.subarray([1, 2, 3, 4, 5, 6, 7]),
  })
  // More copies than nodes is a keyspace that does not work at all.
  .filter(({ datacenters, factors }) =>
    Object.entries(factors).every(([name, factor]) => datacenters.filter((each) => each === name).length >= factor),
  );

/** Written from Cassandra's own words, range by range and copy by copy: all nodes of a datacenter stand in one rack. */
function survives(
  datacenters: readonly string[],
  factors: Record<string, number>,
  level: ConsistencyLevel,
  lost: readonly number[],
): boolean {
  const majority = (copies: number) => Math.floor(copies / 2) + 1;
  return datacenters.every((_, start) => {
    const left: Record<string, number> = {};
    let touched: string[] = [];
    for (const [name, factor] of Object.entries(factors)) {
      let copies = 0;
      for (let step = 0; step < datacenters.length && copies < factor; step += 1) {
        const at = (start + step) % datacenters.length;
        if (datacenters[at] !== name) continue;
        copies += 1;
        if (lost.includes(at + 1)) touched = [...touched, name];
        else left[name] = (left[name] ?? 0) + 1;
      }
    }
    if (touched.length === 0) return true;
    const all = Object.values(left).reduce((sum, each) => sum + each, 0);
    const total = Object.values(factors).reduce((sum, each) => sum + each, 0);
    // A datacenter without a copy of this range on a lost node is no worse than before.
    const each = (needed: (factor: number) => number) =>
      Object.entries(factors).every(
        ([name, factor]) => !touched.includes(name) || (left[name] ?? 0) >= Math.max(needed(factor), 1),
      );
    switch (level) {
      case 'ONE':
        return all >= 1;
      case 'TWO':
        return all >= 2;
      case 'QUORUM':
        return all >= majority(total);
      case 'ALL':
        return all >= total;
      case 'LOCAL_ONE':
        return each(() => 1);
      default:
        return each(majority);
    }
  });
}

describe('what every token range keeps', () => {
  it('is its level by datacenter, as by whoever counts copy by copy from what the nodes say', () => {
    let [kept, refused] = [0, 0];
    fc.assert(
      fc.property(cluster, ({ datacenters, factors, level, lost }) => {
        const ids = datacenters.map((_, index) => index + 1);
        const ring = ids.map((id) =>
          member(id, { datacenter: datacenters[id - 1] ?? '', rack: 'r1', tokens: [BigInt(id * 100)] }),
        );
        const text = Object.fromEntries(Object.entries(factors).map(([name, factor]) => [name, String(factor)]));
        const views = ids.map((id) =>
          answer(id, {
            self: ring[id - 1] ?? member(id),
            peers: ring.filter((_, index) => index !== id - 1),
            keyspaces: [keyspace('orders', text)],
          }),
        );
        const cassandra = { keyspaces: [{ name: 'orders', consistency: level }] };
        const topology = merge(views, { cassandra, nodes: ids.map(liveNode), memory: seen() });
        const expected = survives(datacenters, factors, level, lost);
        if (expected) kept += 1;
        else refused += 1;
        const refusal = refuseLoss(topology, lost.map(node));
        // One node alone is seen by nobody: its copies are no copies.
        if (ids.length > 1) expect(refusal === undefined).toBe(expected);
      }),
      { numRuns: 500 },
    );
    expect(Math.min(kept, refused)).toBeGreaterThan(50);
  });

  it('is enough in two datacenters of two nodes while the one without clients is away, if that is said of each keyspace', () => {
    const ids = [1, 2, 3, 4];
    const ring = ids.map((id) => member(id, { datacenter: id < 3 ? 'dc1' : 'dc2', rack: 'r1' }));
    const keyspaces = ['orders', 'system_auth'].map((name) => keyspace(name, { dc1: '2', dc2: '2' }));
    const views = ids.map((id) =>
      answer(id, { self: ring[id - 1] ?? member(id), peers: ring.filter((_, at) => at !== id - 1), keyspaces }),
    );
    const named = (...names: string[]) =>
      names.map((name) => ({ name, consistency: 'LOCAL_QUORUM', datacenters: ['dc1'] }));
    const without = (cassandra: Record<string, unknown>) =>
      refuseLoss(merge(views, { cassandra, nodes: ids.map(liveNode) }), [node(3), node(4)])?.detail;
    expect(without({ keyspaces: named('orders', 'system_auth') })).toBeUndefined();
    expect(without({ keyspaces: named('orders') })).toBe(
      'system_auth-dc2 would keep 0 of 2 replicas alive: LOCAL_QUORUM of system_auth needs 2',
    );
  });
});
