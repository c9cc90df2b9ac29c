import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../functions/domain/experiment.ts';
import type { FaultParameters } from '../../../functions/domain/faults/catalogue.ts';
import { type Network, resolveTargets, subnetsToLookAt } from '../../../functions/domain/resolve-targets.ts';
import type { LiveNode, SubnetInterface } from '../../../functions/domain/targets.ts';
import { mergeTopology } from '../../../functions/engines/redis/topology.ts';
import { ip, liveNode, nodes, shard } from './target-fixtures.ts';

const { sentinels, redises } = shard();
const topology = mergeTopology(nodes, sentinels, redises);

function fault(parameters: FaultParameters, ...impactedNodes: string[]): Fault {
  const { kind } = parameters;
  return { faultId: 'exp.1', name: '1', kind, cluster: 'redis-master', startSeconds: 0, impactedNodes, parameters };
}
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
const ownSubnetIds = ['subnet-guard'];
const interfaceOf = ({ instanceId, subnetId, addresses }: LiveNode): SubnetInterface => ({
  ...{ interfaceId: `eni-${instanceId}`, subnetId, instanceId, addresses, description: '' },
});
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
    expect(resolved?.impacted).toEqual([
      { ...liveNode(3), addresses: [ip(3), '10.78.0.13'], shard: 'shard-1', role: 'master' },
    ]);
    expect(resolved?.peers.map((node) => node.name)).toEqual(['redis-node-1', 'redis-node-2']);
    expect(resolved?.shardMembers).toHaveLength(3);
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
    expect(cut({}, ['10.78.0.13'])).toThrow(/telemetry lives in a subnet that would be cut off \(10.78.0.13\)/);
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
