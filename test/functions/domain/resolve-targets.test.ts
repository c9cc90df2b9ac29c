import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../functions/domain/experiment.ts';
import { FAULT_KINDS, type FaultParameters, kindOf } from '../../../functions/domain/faults/catalogue.ts';
import {
  type Network,
  nodesHitBy,
  resolveTargets,
  subnetsToLookAt,
} from '../../../functions/domain/resolve-targets.ts';
import type { SubnetInterface } from '../../../functions/domain/targets.ts';
import { mergeTopology } from '../../../functions/engines/redis/topology.ts';
import {
  interfaceOf,
  ip,
  liveNode,
  nodes,
  roleIn,
  shard,
  shardOf,
  targetNode,
  topologyOf,
  twoOnOneHost,
} from './target-fixtures.ts';

const { sentinels, redises } = shard();
const topology = mergeTopology(nodes, sentinels, redises);

const fault = (parameters: FaultParameters, ...impactedNodes: string[]): Fault => ({
  ...{ faultId: 'exp.1', name: '1', cluster: 'redis-master', startSeconds: 0 },
  ...{ kind: parameters.kind, impactedNodes, parameters },
});
const partition = (impacted: string, ...groupA: string[]) =>
  fault(
    {
      kind: 'NETWORK_PARTITION',
      scope: 'isolate',
      direction: 'both',
      latencyMs: 0,
      packetLossPct: 100,
      targetPartitionGroupA: groupA,
      targetPartitionGroupB: [impacted],
    },
    impacted,
  );
const loss = (impacted: string[], to: { toNodes?: string[]; toAvailabilityZone?: string } = {}) =>
  fault({ kind: 'NETWORK_LOSS', targetNodes: impacted, packetLossPct: 30, correlationPct: 0, ...to }, ...impacted);
const seed = partition('redis-node-3', 'redis-node-1', 'redis-node-2');
type Pair = ReturnType<typeof twoOnOneHost>;
const ownSubnetIds = ['subnet-guard'];
const resolve = (
  one: Fault,
  exempt: string[] = [],
  of = { nodes, topology },
  network: Network = { interfaces: of.nodes.map(interfaceOf), ownSubnetIds },
) => resolveTargets([one], of.nodes, of.topology, exempt, network)[0];
const peersOf = (one: Fault) => resolve(one)?.peers.map(({ name }) => name);

describe('resolve targets', () => {
  it('gives every node its role, its shard, its zone and the address its store advertises first', () => {
    const resolved = resolve(seed, ['10.77.0.3']);
    expect(resolved?.impacted).toEqual([targetNode(3, { roles: [roleIn('shard-1', 'master')] })]);
    expect(resolved?.impacted[0]?.addresses).toEqual([ip(3), '10.78.0.13']);
    expect(resolved?.peers.map((node) => node.name)).toEqual(['redis-node-1', 'redis-node-2']);
    expect(resolved?.shardMembers).toHaveLength(3);
  });

  it('refuses two faults that would work on the same packets: one of them would never see them', () => {
    const both = (...peers: string[]) => {
      const cut = partition('redis-node-3', 'redis-node-1');
      const faults = [cut, { ...loss(['redis-node-3'], { toNodes: peers }), faultId: 'exp.2' }];
      return resolveTargets(faults, nodes, topology, [], { interfaces: nodes.map(interfaceOf), ownSubnetIds });
    };
    expect(() => both('redis-node-1')).toThrow(
      'exp.2: both NETWORK_PARTITION (exp.1) and NETWORK_LOSS would work on the packets between redis-node-3 and redis-node-1',
    );
    expect(both('redis-node-2')).toHaveLength(2);
  });

  it('refuses a name that is not live', () => {
    expect(() => resolve(partition('redis-node-8', 'redis-node-1'))).toThrow(/redis-node-8 is not a live node/);
    expect(() => resolve(partition('redis-node-1', 'redis-node-8'))).toThrow(/redis-node-8 is not a live node/);
  });

  it('refuses a node whose role is not certain', () => {
    const views = [...sentinels.slice(0, 2), ...shard(1).sentinels.slice(2)];
    const torn = mergeTopology(nodes, views, redises);
    expect(() => resolve(seed, [], { nodes, topology: torn })).toThrow(/no certain role.*disagree/);
  });

  it.each([
    ['a partition', seed],
    ['loss to named peers', loss(['redis-node-3'], { toNodes: ['redis-node-2'] })],
    ['loss to all peers', loss(['redis-node-3'])],
  ])('refuses %s that would cut a peer which telemetry lives on', (_what, one) => {
    expect(() => resolve(one, ['10.78.0.12'])).toThrow(/telemetry lives on a peer/);
  });

  it.each(FAULT_KINDS)('refuses %s on a host that telemetry lives on, by whatever address', (kind) => {
    const parameters = kindOf(kind).schema.parse(kindOf(kind).example);
    const one = fault({ kind, ...Object(parameters) }, 'redis-node-3');
    for (const address of [ip(3), '10.78.0.13']) {
      expect(() => resolve(one, [address])).toThrow(`telemetry lives on the host of redis-node-3 (${address})`);
    }
  });
});

describe('the peers of a fault', () => {
  it('are the named ones, those of a zone, or all other live nodes', () => {
    expect(peersOf(loss(['redis-node-3'], { toNodes: ['redis-node-2'] }))).toEqual(['redis-node-2']);
    expect(peersOf(loss(['redis-node-3'], { toAvailabilityZone: 'eu-west-1a' }))).toEqual(['redis-node-1']);
    expect(peersOf(loss(['redis-node-3']))).toEqual(['redis-node-1', 'redis-node-2']);
  });

  it('are never the impacted nodes themselves', () => {
    expect(peersOf(loss(['redis-node-3', 'redis-node-1']))).toEqual(['redis-node-2']);
    const named = loss(['redis-node-3', 'redis-node-1'], { toNodes: ['redis-node-1', 'redis-node-2'] });
    expect(peersOf(named)).toEqual(['redis-node-2']);
  });

  it.each([
    ['in that zone', loss(['redis-node-3'], { toAvailabilityZone: 'eu-west-1c' })],
    ['at all', loss(['redis-node-1', 'redis-node-2', 'redis-node-3'])],
  ])('refuse the fault when there is nobody %s: it would do nothing', (_where, one) => {
    expect(() => resolve(one)).toThrow(/there is no peer/);
  });

  it('do not exist for a fault without another side', () => {
    expect(peersOf(fault({ kind: 'PROCESS_PAUSE', targetNodes: ['redis-node-3'] }, 'redis-node-3'))).toEqual([]);
  });
});

describe('the targets of a fault in the service', () => {
  const disconnect = (availabilityZone: string, ...targetNodes: string[]) =>
    fault({ kind: 'AZ_DISCONNECT', targetNodes, availabilityZone }, ...targetNodes);

  it('are exactly the live nodes of the zone that is cut off', () => {
    expect(resolve(disconnect('eu-west-1c', 'redis-node-3'))?.impacted).toHaveLength(1);
    expect(() => resolve(disconnect('eu-west-1c', 'redis-node-3', 'redis-node-1'))).toThrow(
      /redis-node-1: not in eu-west-1c/,
    );
    const crowded = [...nodes, { ...liveNode(6), name: 'redis-node-6' }];
    expect(() => resolve(disconnect('eu-west-1c', 'redis-node-3'), [], { nodes: crowded, topology })).toThrow(
      /exactly the live nodes .*eu-west-1c; not named: redis-node-6/,
    );
  });

  const third = liveNode(3);
  const cut = (change: Partial<Network>, exempt: string[] = []) => {
    const network = { interfaces: [interfaceOf(third)], ownSubnetIds, ...change };
    return () => resolve(disconnect('eu-west-1c', 'redis-node-3'), exempt, { nodes, topology }, network);
  };
  const foreign = (change: Partial<SubnetInterface>): SubnetInterface => ({
    ...{ interfaceId: 'eni-9', subnetId: 'subnet-c', addresses: ['10.78.0.99'], description: '' },
    ...change,
  });

  it('are alone in the subnets that are cut off: whoever else is there was not asked and not counted', () => {
    expect(cut({})()?.impacted).toHaveLength(1);
    const elsewhere = foreign({ subnetId: 'subnet-a', instanceId: 'i-production' });
    expect(cut({ interfaces: [interfaceOf(third), elsewhere] })()?.impacted).toHaveLength(1);
    for (const [stranger, words] of [
      [foreign({ instanceId: 'i-production' }), /others than the targets .*: i-production in subnet-c/],
      [foreign({ description: 'ELB app/checkout' }), /ELB app\/checkout in subnet-c/],
      [foreign({}), /eni-9 in subnet-c/],
    ] as const) {
      expect(cut({ interfaces: [interfaceOf(third), stranger] })).toThrow(words);
    }
  });

  it('are refused where the guard or its telemetry would be cut off, and where EC2 does not show what is there', () => {
    expect(cut({ ownSubnetIds: ['subnet-c'] })).toThrow(/subnet-c: the guard runs there/);
    expect(cut({ interfaces: [interfaceOf(third), foreign({})] }, ['10.78.0.99'])).toThrow(
      /telemetry lives in a subnet that would be cut off \(10.78.0.99\)/,
    );
    expect(cut({ interfaces: [] })).toThrow(/EC2 shows no interface of redis-node-3/);
  });

  it('have their subnets looked at only for a fault that cuts these off', () => {
    expect(subnetsToLookAt([disconnect('eu-west-1c', 'redis-node-3')], nodes)).toEqual(['subnet-c']);
    expect(subnetsToLookAt([seed, loss(['redis-node-3'])], nodes)).toEqual([]);
  });

  it('are refused when the kind cannot have them', () => {
    const pause = fault({ kind: 'VOLUME_PAUSE_IO', targetNodes: ['redis-node-3'] }, 'redis-node-3');
    expect(() => resolve(pause)).toThrow(/redis-node-3: no EBS volume/);
  });
});

describe('two stores on one instance', () => {
  const hosts: [Pair, Pair, Pair] = [twoOnOneHost(1), twoOnOneHost(2), twoOnOneHost(3)];
  const [[{ name: a }, { name: b }], [{ name: a2 }, { name: b2 }], [{ name: a3 }, { name: b3 }]] = hosts;
  const all = hosts.flat();
  const apart = topologyOf([shardOf('shard-1', a, a2, a3), shardOf('shard-2', b, b2, b3)]);
  const together = topologyOf([shardOf('shard-1', ...all.map(({ name }) => name))]);
  const numbered = (...faults: Fault[]) => faults.map((one, index) => ({ ...one, faultId: `exp.${index + 1}` }));
  const resolveAll = (faults: Fault[], topology = apart, fences = true) =>
    resolveTargets(numbered(...faults), all, topology, [], { interfaces: [], ownSubnetIds }, fences);
  const pause = (...targetNodes: string[]) => fault({ kind: 'PROCESS_PAUSE', targetNodes }, ...targetNodes);
  const kill = (name: string) =>
    fault({ kind: 'PROCESS_KILL', targetNodes: [name], signal: 'KILL', restart: 'rollback' }, name);
  const cpu = (...targetNodes: string[]) =>
    fault({ kind: 'CPU_SPIKE', targetNodes, cores: 1, loadPct: 50 }, ...targetNodes);
  const stop = (name: string) => fault({ kind: 'INSTANCE_STOP', targetNodes: [name] }, name);

  it('are told apart by their port, each with a role of its own', () => {
    const [resolved] = resolveAll([pause(a, b2)]);
    expect(resolved?.impacted.map(({ name, port, roles }) => [name, port, roles])).toEqual([
      [a, 6379, [roleIn('shard-1', 'master')]],
      [b2, 6380, [roleIn('shard-2')]],
    ]);
  });

  it('are both hit by a fault on the whole host, and one of them by a fault on its process', () => {
    const names = (...faults: Fault[]) => nodesHitBy(faults, all).map(({ name }) => name);
    expect(names(pause(a))).toEqual([a]);
    expect(names(cpu(a))).toEqual([a, b]);
    expect(names(stop(b))).toEqual([a, b]);
    expect(names(pause(a), cpu(b2))).toEqual([a, a2, b2]);
  });

  it('are hit exactly where they are named or their host is hit, whatever the faults and wherever the nodes run', () => {
    const node = fc.record({ host: fc.integer({ min: 1, max: 4 }), port: fc.integer({ min: 1, max: 3 }) });
    const kinds = fc.constantFrom(...FAULT_KINDS);
    const picks = fc.array(fc.tuple(kinds, fc.array(fc.nat({ max: 20 }), { maxLength: 4 })), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.uniqueArray(node, { selector: ({ host, port }) => `${host}:${port}`, minLength: 1 }),
        picks,
        (places, picked) => {
          const live = places.map(({ host, port }) => liveNode(host, { name: `redis-node-${host}:${port}`, port }));
          const faults = picked.map(([kind, positions]) => ({
            kind,
            impactedNodes: positions.map((position) => live[position % live.length]?.name ?? ''),
          }));
          const hit = nodesHitBy(faults, live);
          for (const one of live) {
            const named = faults.some(({ impactedNodes }) => impactedNodes.includes(one.name));
            const beside = faults.some(
              ({ kind, impactedNodes }) =>
                kindOf(kind).resource !== 'process' &&
                live.some(({ name, instanceId }) => instanceId === one.instanceId && impactedNodes.includes(name)),
            );
            expect(hit.includes(one), one.name).toBe(named || beside);
          }
        },
      ),
    );
  });

  it('are no peers of each other: no network is between them', () => {
    expect(() => resolveAll([partition(a, b, b2)], together)).toThrow(
      `exp.1: ${b} lives on the host of ${a}, no network is between them`,
    );
    expect(() => resolveAll([loss([a], { toNodes: [b] })], together)).toThrow(/lives on the host of/);
    const zone = liveNode(1).availabilityZone;
    expect(() => resolveAll([loss([a], { toAvailabilityZone: zone })], together)).toThrow(/there is no peer/);
  });

  it('are refused two faults that would work on the same thing of their host, whichever node was named', () => {
    expect(() => resolveAll([cpu(a), cpu(b)])).toThrow(
      `exp.2: both CPU_SPIKE (exp.1) and CPU_SPIKE would work on the host of ${b}`,
    );
    expect(() => resolveAll([stop(a), pause(b)])).toThrow(/both INSTANCE_STOP .* and PROCESS_PAUSE/);
    expect(() => resolveAll([pause(b), stop(a)])).toThrow(/both PROCESS_PAUSE .* and INSTANCE_STOP/);
    expect(() => resolveAll([pause(a), kill(a)])).toThrow(/both PROCESS_PAUSE .* and PROCESS_KILL/);
    // The host has one record a fault, and takes one fault at a time on a process.
    expect(() => resolveAll([pause(a), kill(b)])).toThrow(/both PROCESS_PAUSE .* and PROCESS_KILL/);
    expect(() => resolveAll([pause(a, b)])).toThrow(
      `exp.1: another impacted node shares the host of ${b}: one PROCESS_PAUSE a host`,
    );
  });

  it('may have faults that do not meet, and hosts of their own any', () => {
    expect(resolveAll([pause(a), kill(b2)])).toHaveLength(2);
    expect(resolveAll([cpu(a), cpu(a2), pause(b)])).toHaveLength(3);
    expect(resolveAll([cpu(a, b)])).toHaveLength(1);
  });

  it('are refused a fault on the whole host that needs a fence: it guards one node, and clients would meet the other', () => {
    for (const topology of [apart, together]) {
      expect(() => resolveAll([loss([a])], topology)).toThrow(
        `exp.1: ${b} shares the host of ${a}: the fence guards one node a host`,
      );
      expect(() => resolveAll([loss([a, b])], topology)).toThrow(/the fence guards one node a host/);
    }
    // An engine without a fence leaves nothing unguarded.
    expect(resolveAll([loss([a])], together, false)).toHaveLength(1);
    // Neither needs a fence on the whole host: the one is of a process, the other of no role.
    expect(resolveAll([pause(a)])).toHaveLength(1);
    expect(resolveAll([cpu(a)])).toHaveLength(1);
  });
});
