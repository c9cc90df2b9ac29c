/** What admission saw of the mission's example. */
export const CLUSTER_FACTS = {
  ...{ cluster: 'redis-master', liveNodes: 12, impactedNodes: 1, impactedNodesPct: 8.33, maxNodesPct: 10 },
  ...{ trafficSharePct: 0.3, maxTrafficSharePct: 40 },
  toleratedLoss: 'shard-1 would keep 1 of 3 nodes',
  warnings: ['no replication throttle on redis-node-1'],
  worstCase: { abortSeconds: 5.6, leaseLossSeconds: 3.5, ttlSeconds: 60 },
};
export const TARGETS = [
  {
    faultId: 'exp_1.1',
    impacted: [
      {
        ...{ name: 'redis-node-3', instanceId: 'i-03', shard: 'shard-1', role: 'master' },
        roles: [{ shard: 'shard-1', role: 'master' }],
      },
    ],
  },
];

/** Three brokers as the API shows them: of several roles there is no `shard` and no `role`. The second one is the controller. */
export const brokerNode = (number: number, controller = 2) => ({
  name: `kafka-node-${number}`,
  instanceId: `i-0${number}`,
  roles: [
    ...[0, 1, 2].map((part) => ({
      shard: `holdfast-probe-${part}`,
      role: part === number - 1 ? 'leader' : 'follower',
    })),
    { shard: 'quorum', role: number === controller ? 'controller' : 'voter', unprobed: true },
  ],
});
export const brokers = (controller?: number) => [1, 2, 3].map((number) => brokerNode(number, controller));
/** What a request says instead of the second one's name. */
export const LEADER_OF_ORDERS = {
  field: 'targetNodes',
  selector: { role: 'leader', of: 'orders-0' },
  nodes: ['kafka-node-2'],
};
