import type { LabHost } from '../engine.ts';

export const REDIS_PORT = 6379;
export const SENTINEL_PORT = 26379;
/** Unit names of the stand-in systemd on every Redis host. */
export const REDIS_UNIT = 'redis-server';
export const SENTINEL_UNIT = 'redis-sentinel';
export const DATA_DIRECTORY = '/var/lib/redis';
/** On each host, readable by root only: what the fence asks the local store with. */
export const HOST_CREDENTIALS_FILE = '/etc/holdfast/store.json';
const CLUSTER = 'redis-master';
const CLUSTER_TAG = 'holdfast-cluster';
const TARGET_TAG = 'holdfast-target';

export const NODES_PER_SHARD = 3;
const SHARD_COUNT = 4;

/** `redis-node-1…12`, a Redis and a Sentinel on each. Nodes 1 to 3 are shard 1, and so on. */
export const REDIS_HOSTS: readonly LabHost[] = Array.from({ length: NODES_PER_SHARD * SHARD_COUNT }, (_, index) => {
  const number = index + 1;
  const shardNumber = Math.ceil(number / NODES_PER_SHARD);
  const name = `redis-node-${number}`;
  return {
    name,
    instanceId: `i-0${number.toString(16).padStart(16, '0')}`,
    shard: `shard-${shardNumber}`,
    dataAddress: `10.77.0.${10 + number}`,
    // The hosts of the last shard have a single interface.
    ...(shardNumber < SHARD_COUNT ? { managementAddress: `10.78.0.${10 + number}` } : {}),
    tags: { Name: name, [TARGET_TAG]: 'true', [CLUSTER_TAG]: CLUSTER },
  };
});

/** The last node of each shard is its master when the lab starts. */
export function initialMasterOf(shard: string): LabHost {
  const master = REDIS_HOSTS.findLast((host) => host.shard === shard);
  if (master === undefined) throw new Error(`no Redis host is in ${shard}`);
  return master;
}
