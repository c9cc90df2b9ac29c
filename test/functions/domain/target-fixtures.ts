import type { LiveNode } from '../../../functions/domain/targets.ts';
import type { RedisView } from '../../../functions/engines/redis/topology.ts';

/** Zones a, b, c in turn, as the lab has them. */
export function liveNode(number: number): LiveNode {
  const zone = 'abc'[(number - 1) % 3] ?? '';
  return {
    name: `redis-node-${number}`,
    instanceId: `i-${number}`,
    addresses: [`10.78.0.1${number}`, `10.77.0.1${number}`],
    availabilityZone: `eu-west-1${zone}`,
    subnetId: `subnet-${zone}`,
    dataVolumeIds: [],
  };
}

export const nodes: LiveNode[] = [1, 2, 3].map(liveNode);
/** The address by which Sentinels know the node. */
export const ip = (number: number) => `10.77.0.1${number}`;
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
      : { node: `redis-node-${number}`, role: 'slave', masterHost: ip(master), masterLinkStatus: 'up' },
  );
  return { sentinels, redises };
}
