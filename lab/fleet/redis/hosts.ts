import { DOMAIN } from '../../shared/topology.ts';
import type { LabHost } from '../engine.ts';

export const REDIS_PORT = 6379;
export const SENTINEL_PORT = 26379;
/** Unit names of the stand-in systemd on every Redis host. */
export const REDIS_UNIT = 'redis-server';
export const SENTINEL_UNIT = 'redis-sentinel';
export const DATA_DIRECTORY = '/var/lib/redis';
/** On each host, readable by root only: what the fence asks stores with. */
export const HOST_FILES = {
  credentials: '/etc/holdfast/store.json',
  ca: '/etc/holdfast/ca.pem',
  certificate: '/etc/holdfast/client.pem',
  key: '/etc/holdfast/client.key',
  /** For a person who logs in, and for tests. */
  application: '/etc/holdfast/application.json',
} as const;
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
    securityGroupId: 'sg-0a1b2c3d4e5f60001',
  };
});

/** `redis-tls-1…3`: a cluster of one shard as it is run where TLS is the rule. */
export const TLS_HOSTS: readonly LabHost[] = [1, 2, 3].map((number) => {
  const name = `redis-tls-${number}`;
  const last = REDIS_HOSTS.length + number;
  return {
    name,
    instanceId: `i-0${last.toString(16).padStart(16, '0')}`,
    shard: 'tls-shard-1',
    dataAddress: `10.77.0.${10 + last}`,
    managementAddress: `10.78.0.${10 + last}`,
    tags: { Name: name, [TARGET_TAG]: 'true', [CLUSTER_TAG]: 'redis-tls' },
    securityGroupId: 'sg-0a1b2c3d4e5f60002',
    tlsOnly: true,
  };
});

/** As nodes and Sentinels announce the host: with TLS by name, which is what certificates are for. */
export function announcedAs({ name, dataAddress, tlsOnly }: LabHost): string {
  return tlsOnly ? `${name}.${DOMAIN}` : dataAddress;
}

/** The last node of each shard is its master when the lab starts. */
export function initialMasterOf(shard: string): LabHost {
  const master = [...REDIS_HOSTS, ...TLS_HOSTS].findLast((host) => host.shard === shard);
  if (master === undefined) throw new Error(`no Redis host is in ${shard}`);
  return master;
}
