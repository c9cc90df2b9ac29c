import { type FleetEngine, type LabHost, shardsOf } from '../engine.ts';
import { APPLICATION } from '../store-keys.ts';
import { hostContent } from './configuration.ts';
import { waitForReplication, waitForSentinels } from './health.ts';
import { REDIS_PORT, SENTINEL_PORT, SENTINEL_UNIT } from './hosts.ts';
import { CLIENT_VARIABLE, clientNamed, connectShard, shardStore } from './shard-client.ts';
import { clientTls } from './tls.ts';
import { onSentinel, secretsOf } from './users.ts';

/**
 * A gateway gets three of its requests in two seconds, and each is over in milliseconds. All that wait end at once when a
 * master wakes: so few of them stay under the guard's limit of errors.
 */
const CANARY_WORKERS = 3;

/** Redis with Sentinel. The first shard is where experiments start. */
export function redisFleet(hosts: readonly LabHost[]): FleetEngine {
  const [canary = '', ...busy] = shardsOf(hosts);
  return {
    hosts,
    ...(hosts.every(({ tlsOnly }) => !tlsOnly) && {
      answers: { port: REDIS_PORT, send: 'PING', expect: '^(\\+PONG|-NOAUTH)' },
    }),
    traffic: { canaries: [{ shards: [canary], workers: CANARY_WORKERS }], busy },
    contents: async (keys) => {
      // Refused before anything starts, and not by each gateway.
      clientNamed(process.env[CLIENT_VARIABLE]);
      return (host) => hostContent(host, keys);
    },
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
          clientNamed(process.env[CLIENT_VARIABLE]),
        ),
      );
    },
  };
}
