import { type FleetEngine, shardsOf } from '../engine.ts';
import { hostContent } from './configuration.ts';
import { waitForReplication, waitForSentinels } from './health.ts';
import { REDIS_HOSTS, SENTINEL_PORT, SENTINEL_UNIT } from './hosts.ts';
import { connectShard, shardStore } from './shard-client.ts';

/** Redis with Sentinel. */
export const redis: FleetEngine = {
  hosts: REDIS_HOSTS,
  contentOf: hostContent,
  readinessSteps: (secret, startUnit) => [
    {
      what: `${shardsOf(REDIS_HOSTS).length} shards replicate`,
      work: () => waitForReplication(secret),
    },
    {
      // Not at boot: a Sentinel that starts before the replicas have joined learns of them ten seconds later (its INFO
      // period), and could not fail over until then.
      what: `${REDIS_HOSTS.length} Sentinels agree`,
      work: async () => {
        await startUnit(SENTINEL_UNIT);
        await waitForSentinels(secret);
      },
    },
  ],
  connectShard: (shard, secret) => {
    const members = REDIS_HOSTS.filter((host) => host.shard === shard);
    const sentinels = members.map(({ dataAddress }) => ({ host: dataAddress, port: SENTINEL_PORT }));
    return shardStore(connectShard({ shard, sentinels }, secret));
  },
};
