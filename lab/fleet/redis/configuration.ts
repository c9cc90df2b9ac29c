import { createHash } from 'node:crypto';
import type { HostContent, LabHost, StoreSecret } from '../engine.ts';
import {
  DATA_DIRECTORY,
  HOST_CREDENTIALS_FILE,
  initialMasterOf,
  REDIS_PORT,
  REDIS_UNIT,
  SENTINEL_PORT,
  SENTINEL_UNIT,
} from './hosts.ts';

const SENTINELS_TO_AGREE = 2;

/** Hashed, so that the plain password is only where Redis needs to send it. */
function accessControl(secret: StoreSecret): string[] {
  const digest = createHash('sha256').update(secret.password).digest('hex');
  return ['user default off', `user ${secret.username} on #${digest} ~* &* +@all`];
}

/**
 * redis.conf of a node. An append-only file, because a master that restarts empty within Sentinel's patience empties its
 * replicas too (redis.io, "Replication": safety when the master has persistence turned off).
 */
function redisConfiguration(host: LabHost, secret: StoreSecret): string {
  const master = initialMasterOf(host.shard);
  return [
    `bind ${host.dataAddress} 127.0.0.1`,
    `port ${REDIS_PORT}`,
    'protected-mode no',
    `dir ${DATA_DIRECTORY}`,
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory 256mb',
    'maxmemory-policy noeviction',
    'min-replicas-to-write 1',
    'min-replicas-max-lag 10',
    'repl-diskless-sync yes',
    'repl-diskless-sync-delay 0',
    'repl-backlog-size 16mb',
    `replica-announce-ip ${host.dataAddress}`,
    ...accessControl(secret),
    `masteruser ${secret.username}`,
    `masterauth ${secret.password}`,
    ...(host === master ? [] : [`replicaof ${master.dataAddress} ${REDIS_PORT}`]),
    '',
  ].join('\n');
}

/** sentinel.conf of a node: it watches its own shard only. */
function sentinelConfiguration(host: LabHost, secret: StoreSecret): string {
  const shard = host.shard;
  return [
    `bind ${host.dataAddress} 127.0.0.1`,
    `port ${SENTINEL_PORT}`,
    'protected-mode no',
    `dir ${DATA_DIRECTORY}`,
    `sentinel announce-ip ${host.dataAddress}`,
    `sentinel announce-port ${SENTINEL_PORT}`,
    ...accessControl(secret),
    `sentinel sentinel-user ${secret.username}`,
    `sentinel sentinel-pass ${secret.password}`,
    `sentinel monitor ${shard} ${initialMasterOf(shard).dataAddress} ${REDIS_PORT} ${SENTINELS_TO_AGREE}`,
    `sentinel auth-user ${shard} ${secret.username}`,
    `sentinel auth-pass ${shard} ${secret.password}`,
    `sentinel down-after-milliseconds ${shard} 2000`,
    `sentinel failover-timeout ${shard} 10000`,
    `sentinel parallel-syncs ${shard} 1`,
    '',
  ].join('\n');
}

/** What a Redis host runs. Sentinel does not start at boot, see engine.ts. */
export function hostContent(host: LabHost, secret: StoreSecret): HostContent {
  const configuration = (name: string): string => `${DATA_DIRECTORY}/${name}`;
  // Owned by redis: both programs rewrite their own configuration after a failover.
  const ownFile = (name: string, content: string) => ({
    path: configuration(name),
    owner: 'redis',
    mode: 0o600,
    content,
  });
  return {
    units: {
      [REDIS_UNIT]: {
        argv: ['/usr/bin/redis-server', configuration('redis.conf')],
        user: 'redis',
        readyPort: REDIS_PORT,
      },
      [SENTINEL_UNIT]: {
        argv: ['/usr/bin/redis-server', configuration('sentinel.conf'), '--sentinel'],
        user: 'redis',
        readyPort: SENTINEL_PORT,
      },
    },
    startAtBoot: [REDIS_UNIT],
    files: [
      ownFile('redis.conf', redisConfiguration(host, secret)),
      ownFile('sentinel.conf', sentinelConfiguration(host, secret)),
      { path: HOST_CREDENTIALS_FILE, owner: 'root', mode: 0o600, content: `${JSON.stringify(secret)}\n` },
    ],
    dataDirectories: { [DATA_DIRECTORY]: 'mode=750,size=512m,uid=redis,gid=redis' },
  };
}
