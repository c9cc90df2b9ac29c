import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../functions/experiment/experiment.ts';
import type { FaultParameters } from '../../../functions/experiment/faults.ts';
import { mergeTopology } from '../../../functions/target/redis-topology.ts';
import { resolveTargets } from '../../../functions/target/resolve-targets.ts';
import { ip, liveNode, nodes, shard } from './fixtures.ts';

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
const resolve = (one: Fault, exempt: string[] = [], of = { nodes, topology }) =>
  resolveTargets([one], of.nodes, of.topology, exempt)[0];
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

  it('are refused when the kind cannot have them', () => {
    const pause = fault({ kind: 'VOLUME_PAUSE_IO', targetNodes: ['redis-node-3'] }, 'redis-node-3');
    expect(() => resolve(pause)).toThrow(/redis-node-3: no EBS volume/);
  });
});
