import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectNodes } from '../../../functions/domain/select-nodes.ts';
import type { Selector } from '../../../functions/domain/selectors.ts';
import { membersOf, type ReplicaSet, type Shard, type StoreTopology } from '../../../functions/domain/topology.ts';
import { BROKERS, broker, brokerTopology, type Leads } from './broker-fixtures.ts';
import { shardOf, topologyOf } from './target-fixtures.ts';

const select = (selector: Selector, leads: Leads = {}) => selectNodes(selector, BROKERS, [], brokerTopology(leads));
const chosen = (selector: Selector, leads: Leads = {}) => {
  const selection = select(selector, leads);
  return selection.ok ? selection.nodes : selection.error;
};

describe('choosing nodes by their roles', () => {
  it.each<[Selector, number[]]>([
    [{ role: 'leader', of: 'orders-0' }, [2]],
    [{ role: 'leader', of: 'holdfast-probe-2' }, [3]],
    [{ role: 'follower', of: 'orders-0' }, [1]],
    [{ role: 'follower', of: 'orders-0', count: 2 }, [1, 3]],
    [{ role: 'controller' }, [2]],
    [{ role: 'controller', of: 'quorum' }, [2]],
    [{ role: 'voter', of: 'quorum' }, [1]],
    [{ role: 'coordinator', of: 'orders-workers' }, [1]],
    [{ role: 'coordinator' }, [1]],
    [{ role: 'minority', of: 'quorum' }, [1]],
    [{ role: 'minority', of: 'orders-0' }, [1]],
    [{ role: 'all', of: 'orders-0' }, [1, 2, 3]],
    [{ role: 'rest' }, [1, 2, 3]],
  ])('%j is %j, of several the first by name', (selector, numbers) => {
    expect(chosen(selector)).toEqual(numbers.map(broker));
  });

  it('works by the words of another engine in the same way', () => {
    const redis = topologyOf([shardOf('shard-1', 'n3', 'n2', 'n1'), shardOf('shard-2', 'n4', 'n5', 'n6')]);
    const of = (selector: Selector) => selectNodes(selector, ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'], [], redis);
    expect(of({ role: 'master', of: 'shard-1' })).toEqual({ ok: true, nodes: ['n3'] });
    expect(of({ role: 'replica', of: 'shard-2' })).toEqual({ ok: true, nodes: ['n5'] });
    expect(of({ role: 'minority', of: 'shard-2' })).toEqual({ ok: true, nodes: ['n5'] });
    expect(of({ role: 'master' })).toMatchObject({ error: { field: 'of', allowed: 'shard-1, shard-2' } });
    expect(of({ role: 'leader', of: 'shard-1' })).toMatchObject({
      error: { field: 'role', allowed: 'master, replica, minority, all, rest' },
    });
  });

  it('finds copies of data that nobody leads by the name of the data, and where nodes stand by the name of the place', () => {
    const set = (name: string, members: string[]): ReplicaSet => ({
      ...{ name, members, inSync: members, memberRole: 'copy', minInSync: 1 },
    });
    const topology: StoreTopology = {
      ...topologyOf([
        { name: 'probe', members: [1, 2, 3].map((id) => ({ node: `n${id}`, role: 'copy' })), problems: [] },
      ]),
      replicaSets: [set('data', ['n2', 'n3']), set('probe', ['n1', 'n2', 'n3'])],
      places: [{ name: 'east:r1', members: ['n3', 'n1'] }],
    };
    const of = (selector: Selector) => selectNodes(selector, ['n1', 'n2', 'n3'], [], topology);
    expect(of({ role: 'copy' })).toEqual({ ok: true, nodes: ['n1'] });
    expect(of({ role: 'copy', of: 'data', count: 2 })).toEqual({ ok: true, nodes: ['n2', 'n3'] });
    expect(of({ role: 'minority', of: 'probe' })).toEqual({ ok: true, nodes: ['n1'] });
    expect(of({ role: 'all', of: 'data' })).toEqual({ ok: true, nodes: ['n2', 'n3'] });
    expect(of({ role: 'all', of: 'east:r1' })).toEqual({ ok: true, nodes: ['n1', 'n3'] });
    expect(of({ role: 'all', of: 'west' })).toMatchObject({ error: { field: 'of', allowed: 'probe, data, east:r1' } });
  });

  it.each<[string, Selector, string, RegExp]>([
    ['of a shard that the store does not have', { role: 'leader', of: 'order-0' }, 'of', /orders-0/],
    ['a minority of what is not there', { role: 'minority', of: 'x' }, 'of', /quorum/],
    ['of a group that is not configured', { role: 'coordinator', of: 'others' }, 'of', /group-orders-workers/],
    [
      'that nobody has there',
      { role: 'controller', of: 'orders-0' },
      'role',
      /^follower, leader, minority, all, rest$/,
    ],
    ['that nobody has anywhere', { role: 'primary' }, 'role', /controller, coordinator, follower, leader, voter/],
    ['that several shards have, without saying which', { role: 'leader' }, 'of', /holdfast-probe-0, .*orders-1/],
    [
      'of more nodes than have it',
      { role: 'follower', of: 'orders-0', count: 3 },
      'count',
      /kafka-node-1, kafka-node-3/,
    ],
  ])('a role %s is refused: the field is named, and what there is', (_what, selector, field, allowed) => {
    expect(select(selector)).toEqual({
      ok: false,
      error: { field, message: expect.any(String), allowed: expect.stringMatching(allowed) },
    });
  });

  it.each<[Selector, Leads]>([
    [{ role: 'leader', of: 'orders-0' }, { orders: undefined }],
    [{ role: 'follower', of: 'orders-0' }, { orders: undefined }],
    [{ role: 'minority', of: 'orders-0' }, { orders: undefined }],
    [{ role: 'controller', of: 'quorum' }, { controller: undefined }],
    [{ role: 'minority', of: 'quorum' }, { controller: undefined }],
    [{ role: 'coordinator', of: 'orders-workers' }, { coordinator: undefined }],
  ])('%j is refused while nobody knows it', (selector, leads) => {
    expect(select(selector, leads)).toMatchObject({
      ok: false,
      error: { field: 'role', message: expect.stringMatching(/not certain in .*kafka-node-1, .*(leads it|answers)/) },
    });
  });

  it('one member without a certain role makes every other one of its shard uncertain', () => {
    const half: Shard = {
      name: 's',
      members: [{ node: 'a', role: 'leader' }, { node: 'b' }],
      problems: ['b is silent'],
    };
    expect(selectNodes({ role: 'leader', of: 's' }, ['a', 'b'], [], topologyOf([half]))).toMatchObject({
      error: { message: 'is not certain in s: no role is known of b: b is silent' },
    });
  });

  it('a minority of two is nobody, and so is the rest of all', () => {
    const two = topologyOf([shardOf('s', 'a', 'b')]);
    expect(selectNodes({ role: 'minority', of: 's' }, ['a', 'b'], [], two)).toMatchObject({ error: { field: 'of' } });
    expect(selectNodes({ role: 'rest' }, ['a', 'b'], ['b', 'a'], two)).toMatchObject({ error: { field: 'role' } });
  });

  it('of thousands of shards a refusal names the first ones', () => {
    const many = topologyOf(Array.from({ length: 3000 }, (_, index) => shardOf(`s-${index}`, 'a', 'b', 'c')));
    const { error } = selectNodes({ role: 'leader', of: 'x' }, ['a'], [], many) as { error: { allowed: string } };
    expect(error.allowed).toMatch(/^s-0, s-1, .* and 2980 more$/);
    expect(error.allowed.length).toBeLessThan(300);
  });
});

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const rolesOf = fc.constantFrom('leader', 'follower', 'observer', undefined);
const shards: fc.Arbitrary<Shard[]> = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('s-0', 's-1', 's-2', 'group-g'),
    members: fc.array(
      fc
        .record({ node: fc.constantFrom(...NAMES), role: rolesOf })
        .map(({ node, role }) => (role ? { node, role } : { node })),
      { maxLength: 8 },
    ),
    problems: fc.constant([]),
  }),
  { selector: ({ name }) => name, maxLength: 4 },
);
const replicaSets: fc.Arbitrary<ReplicaSet[]> = fc.uniqueArray(
  fc
    .record({
      name: fc.constantFrom('s-1', 'p-0', 'p-1'),
      members: fc.subarray(NAMES),
      leader: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
    })
    .map(({ leader, ...set }) => ({ ...set, inSync: set.members, minInSync: 1, ...(leader ? { leader } : {}) })),
  { selector: ({ name }) => name, maxLength: 3 },
);
const topologies: fc.Arbitrary<StoreTopology> = fc
  .tuple(shards, replicaSets)
  .map(([made, sets]) => topologyOf(made, { replicaSets: sets }));
const selectors: fc.Arbitrary<Selector> = fc.record(
  {
    role: fc.constantFrom('leader', 'follower', 'observer', 'minority', 'rest', 'x'),
    of: fc.constantFrom('s-0', 's-1', 's-2', 'g', 'p-0', 'p-1', 'x'),
    count: fc.integer({ min: 1, max: 8 }),
  },
  { requiredKeys: ['role'] },
);
const lists = fc.tuple(fc.subarray(NAMES, { minLength: 1 }), fc.subarray(NAMES));

describe('whatever the store says', () => {
  const always = (
    judge: (
      selector: Selector,
      nodes: string[],
      given: { topology: StoreTopology; live: string[]; others: string[] },
    ) => void,
  ) =>
    fc.assert(
      fc.property(selectors, lists, topologies, (selector, [live, others], topology) => {
        const selection = selectNodes(selector, live, others, topology);
        if (selection.ok) judge(selector, selection.nodes, { topology, live, others });
        else expect(Object.values(selection.error).every((text) => text !== '')).toBe(true);
      }),
      { numRuns: 2000 },
    );

  it('nobody is chosen twice, somebody is, and never more than were asked for', () =>
    always(({ role, count = 1 }, nodes) => {
      expect(new Set(nodes).size).toBe(nodes.length);
      expect(nodes.length).toBeGreaterThan(0);
      if (role !== 'rest' && role !== 'minority') expect(nodes).toHaveLength(count);
    }));

  it('a minority leaves a majority, and takes nobody who is alone in a role while others have one in common', () =>
    always(({ role, of }, nodes, { topology }) => {
      if (role !== 'minority') return;
      const shard = topology.shards.find(({ name }) => name === of || name === `group-${of}`);
      const members = new Set(
        shard ? membersOf(shard) : topology.replicaSets?.find(({ name }) => name === of)?.members,
      );
      expect(nodes.every((node) => members.has(node))).toBe(true);
      expect(2 * (members.size - nodes.length)).toBeGreaterThan(members.size);
      if (!shard) expect(nodes).not.toContain(topology.replicaSets?.find(({ name }) => name === of)?.leader);
    }));

  it('the rest and the others have nobody in common, and are together all that live', () =>
    always(({ role }, nodes, { live, others }) => {
      if (role !== 'rest') return;
      expect(nodes.filter((node) => others.includes(node))).toEqual([]);
      expect(new Set([...nodes, ...others.filter((node) => live.includes(node))])).toEqual(new Set(live));
    }));

  it('a role is had by everybody who is chosen for it, and of everybody in that shard it is known', () =>
    always(({ role, of }, nodes, { topology }) => {
      if (role === 'rest' || role === 'minority') return;
      const homes = [
        ...topology.shards,
        ...(topology.replicaSets ?? []).map(({ name, members, leader }) => ({
          name,
          members: members.map((node) => ({ node, role: node === leader ? 'leader' : 'follower' })),
        })),
      ].filter(({ name }) => of === undefined || name === of || name === `group-${of}`);
      const fits = homes.some(({ members }) =>
        nodes.every((node) => members.some((member) => member.node === node && member.role === role)),
      );
      expect(fits).toBe(true);
    }));

  it('the order in which the store lists things changes nothing', () =>
    fc.assert(
      fc.property(selectors, lists, topologies, (selector, [live, others], topology) => {
        const reversed = {
          ...topology,
          shards: topology.shards.map((shard) => ({ ...shard, members: shard.members.toReversed() })),
          replicaSets: topology.replicaSets?.map((set) => ({ ...set, members: set.members.toReversed() })) ?? [],
        };
        expect(selectNodes(selector, live.toReversed(), others.toReversed(), reversed)).toEqual(
          selectNodes(selector, live, others, topology),
        );
      }),
      { numRuns: 1000 },
    ));
});
