import { type FleetEngine, type LabHost, shardsOf } from '../engine.ts';
import { APPLICATION } from '../store-keys.ts';
import { hostContent } from './configuration.ts';
import { waitForReplication, waitForSentinels } from './health.ts';
import { REDIS_PORT, SENTINEL_PORT, SENTINEL_UNIT } from './hosts.ts';
import { connectShard, shardStore } from './shard-client.ts';
import { clientTls } from './tls.ts';
import { onSentinel, secretsOf } from './users.ts';

/** Redis with Sentinel. The first shard is where experiments start. */
export function redisFleet(hosts: readonly LabHost[]): FleetEngine {
  const [canary = '', ...busy] = shardsOf(hosts);
  return {
    hosts,
    ...(hosts.every(({ tlsOnly }) => !tlsOnly) && {
      answers: { port: REDIS_PORT, send: 'PING', expect: '^(\\+PONG|-NOAUTH)' },
    }),
    traffic: { canaries: [{ shards: [canary] }], busy },
    contents: async (keys) => (host) => hostContent(host, keys),
    secrets: (keys) => Object.assign({}, ...hosts.map((host) => secretsOf(host, keys))),
    readinessSteps: (keys, startUnit) => [
      {
        what: `${shardsOf(hosts).join(', ')}: replicate`,
        work: () => waitForReplication(hosts, keys),
      },
      {
        // Not at boot: a Sentinel that starts before the replicas have joined learns of them ten seconds later (its INFO
        // period), and could not fail over until then.
        what: `${hosts.length} Sentinels agree`,
        work: async () => {
          await startUnit(SENTINEL_UNIT);
          await waitForSentinels(hosts, keys);
        },
      },
    ],
    connectShard: async (shard, keys) => {
      const members = hosts.filter((host) => host.shard === shard);
      const sentinels = members.map(({ dataAddress }) => ({ host: dataAddress, port: SENTINEL_PORT }));
      const [host = {}] = members;
      return shardStore(
        connectShard(
          { shard, sentinels },
          {
            store: keys.user(APPLICATION),
            sentinel: keys.user(onSentinel(APPLICATION, host)),
            tls: clientTls(host, keys),
          },
        ),
      );
    },
  };
}
