/** What admission saw of the mission's example. */
export const CLUSTER_FACTS = {
  ...{ cluster: 'redis-master', liveNodes: 12, impactedNodes: 1, impactedNodesPct: 8.33, maxNodesPct: 10 },
  ...{ trafficSharePct: 0.3, maxTrafficSharePct: 40 },
  worstCase: { abortSeconds: 5.6, leaseLossSeconds: 3.5, ttlSeconds: 60 },
};
export const TARGETS = [
  {
    faultId: 'exp_1.1',
    impacted: [{ name: 'redis-node-3', instanceId: 'i-03', shard: 'shard-1', role: 'master' }],
  },
];
