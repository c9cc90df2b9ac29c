import type { LiveNode, SubnetInterface, TargetNode } from '../../../functions/domain/targets.ts';
import type { Shard, StoreTopology } from '../../../functions/domain/topology.ts';
import type { RedisView } from '../../../functions/engines/redis/topology.ts';

/** The address by which Sentinels know the node. */
export const ip = (number: number) => `10.77.0.1${number}`;

/** Zones a, b, c in turn, as the lab has them. */
export function liveNode(number: number, change: Partial<LiveNode> = {}): LiveNode {
  const zone = 'abc'[(number - 1) % 3] ?? '';
  return {
    name: `redis-node-${number}`,
    instanceId: `i-${number}`,
    addresses: [`10.78.0.1${number}`, ip(number)],
    port: 6379,
    tags: { Name: `redis-node-${number}`, 'holdfast-cluster': 'redis-master', 'holdfast-target': 'true' },
    availabilityZone: `eu-west-1${zone}`,
    subnetId: `subnet-${zone}`,
    dataVolumeIds: [],
    ...change,
  };
}

/** A live node as it is resolved: its store's address first, a replica of `shard-1`. */
export function targetNode(number: number, change: Partial<TargetNode> = {}): TargetNode {
  const { tags: _, ...node } = liveNode(number);
  return { ...node, addresses: node.addresses.toReversed(), roles: [roleIn('shard-1')], ...change };
}

export const roleIn = (shard: string, role = 'replica') => ({ shard, role });

/** Two stores on one instance: nodes of their own, with ports 6379 and 6380. */
export function twoOnOneHost(number: number, change: Partial<LiveNode> = {}): [LiveNode, LiveNode] {
  const at = (port: number) => liveNode(number, { name: `redis-node-${number}:${port}`, port, ...change });
  return [at(6379), at(6380)];
}

export function interfaceOf({ instanceId, subnetId, addresses }: LiveNode): SubnetInterface {
  return { interfaceId: `eni-${instanceId}`, subnetId, instanceId, addresses, description: '' };
}

/** A shard that is well; the first node is its master. */
export function shardOf(name: string, ...[master = '', ...replicas]: string[]): Shard {
  const members = [{ node: master, role: 'master' }, ...replicas.map((node) => ({ node, role: 'replica' }))];
  return { name, members, problems: [] };
}

/** A store that is well, unless it is changed. */
export function topologyOf(shards: Shard[], change: Partial<StoreTopology> = {}): StoreTopology {
  return { shards, advertisedAddresses: {}, problems: [], ...change };
}

export const nodes: LiveNode[] = [1, 2, 3].map((number) => liveNode(number));
export const peer = (number: number, ...flags: string[]) => ({ ip: ip(number), port: 6379, flags });

/** Three nodes that agree that `master` is the master. */
export function shard(master = 3) {
  const others = [1, 2, 3].filter((number) => number !== master);
  const sentinels = [1, 2, 3].map((number) => ({
    node: `redis-node-${number}`,
    masters: [
      {
        name: 'shard-1',
        ...peer(master, 'master'),
        replicas: others.map((other) => peer(other, 'slave')),
        sentinels: [1, 2, 3].filter((other) => other !== number).map((other) => peer(other, 'sentinel')),
      },
    ],
  }));
  const redises: RedisView[] = [1, 2, 3].map((number) =>
    number === master
      ? { node: `redis-node-${number}`, role: 'master' }
      : {
          node: `redis-node-${number}`,
          role: 'slave',
          masterHost: ip(master),
          masterPort: 6379,
          masterLinkStatus: 'up',
        },
  );
  return { sentinels, redises };
}
