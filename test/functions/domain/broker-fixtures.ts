import type { LiveNode } from '../../../functions/domain/targets.ts';
import { groupShard, type ReplicaSet, type Shard, type StoreTopology } from '../../../functions/domain/topology.ts';
import { liveNode, topologyOf } from './target-fixtures.ts';

/** Three brokers that are controllers too, as a topology has them: shards with and without clients, and partitions. */
export const broker = (number: number) => `kafka-node-${number}`;
export const BROKERS = [1, 2, 3].map(broker);
export const brokerNodes: LiveNode[] = [1, 2, 3].map((number) =>
  liveNode(number, { name: broker(number), port: 9092, tags: { Name: broker(number) } }),
);

export interface Leads {
  /** Of `orders-0`. */
  orders?: number | undefined;
  controller?: number | undefined;
  /** Of the group `orders-workers`. */
  coordinator?: number | undefined;
}

export function brokerTopology(leads: Leads = {}, change: Partial<StoreTopology> = {}): StoreTopology {
  const { orders, controller, coordinator } = { orders: 2, controller: 2, coordinator: 1, ...leads };
  const probed = [1, 2, 3].map((leader, index) => shard(`holdfast-probe-${index}`, leader, 'leader', 'follower'));
  return topologyOf(
    [
      ...probed,
      { ...shard('quorum', controller, 'controller', 'voter'), unprobed: true },
      { ...shard(groupShard('orders-workers'), coordinator, 'coordinator', 'follower'), unprobed: true },
    ],
    {
      replicaSets: [
        partition('orders-0', orders),
        partition('orders-1', 3),
        ...[1, 2, 3].map((leader, index) => partition(`holdfast-probe-${index}`, leader)),
      ],
      ...change,
    },
  );
}

/** Without a first one, nobody knows what anybody is. */
function shard(name: string, first: number | undefined, role: string, other: string): Shard {
  const members = [1, 2, 3].map((number) =>
    first === undefined ? { node: broker(number) } : { node: broker(number), role: number === first ? role : other },
  );
  return { name, members, problems: first === undefined ? ['nobody answers for it'] : [] };
}

function partition(name: string, leader: number | undefined): ReplicaSet {
  return {
    ...{ name, members: BROKERS, inSync: BROKERS, minInSync: 2 },
    ...(leader === undefined ? {} : { leader: broker(leader) }),
  };
}
