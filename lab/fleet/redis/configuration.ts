import type { HostContent, HostFile, LabHost, StoreKeys } from '../engine.ts';
import { APPLICATION } from '../store-keys.ts';
import {
  announcedAs,
  DATA_DIRECTORY,
  HOST_FILES,
  initialMasterOf,
  REDIS_PORT,
  REDIS_UNIT,
  SENTINEL_PORT,
  SENTINEL_UNIT,
} from './hosts.ts';
import { MAX_LAG_SECONDS, MIN_REPLICAS_VARIABLE, minReplicasOf } from './min-replicas.ts';
import {
  accessControl,
  hostSecretText,
  NODE_RIGHTS,
  onSentinel,
  REPLICATION,
  SENTINEL,
  SENTINEL_RIGHTS,
  secretText,
} from './users.ts';

const SENTINELS_TO_AGREE = 2;
const inData = (name: string): string => `${DATA_DIRECTORY}/${name}`;

/** Where a process listens, and what it shows and demands there. */
function listening({ dataAddress, tlsOnly }: LabHost, port: number): string[] {
  const lines = [`bind ${dataAddress} 127.0.0.1`, 'protected-mode no', `dir ${DATA_DIRECTORY}`];
  if (!tlsOnly) return [...lines, `port ${port}`];
  return [
    ...lines,
    ...['port 0', `tls-port ${port}`, 'tls-auth-clients yes', 'tls-replication yes'],
    `tls-ca-cert-file ${inData('ca.pem')}`,
    `tls-cert-file ${inData('server.pem')}`,
    `tls-key-file ${inData('server.key')}`,
  ];
}

/**
 * redis.conf of a node. An append-only file, because a master that restarts empty within Sentinel's patience empties its
 * replicas too (redis.io, "Replication": safety when the master has persistence turned off).
 */
function redisConfiguration(host: LabHost, keys: StoreKeys): string {
  const master = initialMasterOf(host.shard);
  const replication = keys.user(REPLICATION);
  return [
    ...listening(host, REDIS_PORT),
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory 256mb',
    'maxmemory-policy noeviction',
    `min-replicas-to-write ${minReplicasOf(process.env[MIN_REPLICAS_VARIABLE])}`,
    `min-replicas-max-lag ${MAX_LAG_SECONDS}`,
    'repl-diskless-sync yes',
    'repl-diskless-sync-delay 0',
    'repl-backlog-size 16mb',
    `replica-announce-ip ${announcedAs(host)}`,
    ...accessControl(NODE_RIGHTS, keys),
    `masteruser ${replication.username}`,
    `masterauth ${replication.password}`,
    ...(host === master ? [] : [`replicaof ${announcedAs(master)} ${REDIS_PORT}`]),
    '',
  ].join('\n');
}

/** sentinel.conf of a node: it watches its own shard only. */
function sentinelConfiguration(host: LabHost, keys: StoreKeys): string {
  const { shard } = host;
  const rights = Object.entries(SENTINEL_RIGHTS).map(([user, allowed]) => [onSentinel(user, host), allowed]);
  const [onNodes, among] = [keys.user(SENTINEL), keys.user(onSentinel(SENTINEL, host))];
  return [
    ...listening(host, SENTINEL_PORT),
    // Before anybody is named.
    ...(host.tlsOnly ? ['sentinel resolve-hostnames yes', 'sentinel announce-hostnames yes'] : []),
    `sentinel announce-ip ${announcedAs(host)}`,
    `sentinel announce-port ${SENTINEL_PORT}`,
    ...accessControl(Object.fromEntries(rights), keys),
    `sentinel sentinel-user ${among.username}`,
    `sentinel sentinel-pass ${among.password}`,
    `sentinel monitor ${shard} ${announcedAs(initialMasterOf(shard))} ${REDIS_PORT} ${SENTINELS_TO_AGREE}`,
    `sentinel auth-user ${shard} ${onNodes.username}`,
    `sentinel auth-pass ${shard} ${onNodes.password}`,
    `sentinel down-after-milliseconds ${shard} 2000`,
    `sentinel failover-timeout ${shard} 10000`,
    `sentinel parallel-syncs ${shard} 1`,
    '',
  ].join('\n');
}

/** What a Redis host runs. Sentinel does not start at boot, see engine.ts. */
export function hostContent(host: LabHost, keys: StoreKeys): HostContent {
  // Owned by redis: both programs rewrite their own configuration after a failover.
  const file = (owner: string) => (path: string, content: string) => ({ path, owner, mode: 0o600, content });
  const [ofRedis, ofRoot] = [file('redis'), file('root')];
  return {
    units: {
      [REDIS_UNIT]: {
        argv: ['/usr/bin/redis-server', inData('redis.conf')],
        user: 'redis',
        readyPort: REDIS_PORT,
      },
      [SENTINEL_UNIT]: {
        argv: ['/usr/bin/redis-server', inData('sentinel.conf'), '--sentinel'],
        user: 'redis',
        readyPort: SENTINEL_PORT,
      },
    },
    startAtBoot: [REDIS_UNIT],
    files: [
      ofRedis(inData('redis.conf'), redisConfiguration(host, keys)),
      ofRedis(inData('sentinel.conf'), sentinelConfiguration(host, keys)),
      ofRoot(HOST_FILES.credentials, hostSecretText(host, keys)),
      ofRoot(HOST_FILES.application, secretText(APPLICATION, host, keys)),
      ...(host.tlsOnly ? certificates() : []),
    ],
    dataDirectories: { [DATA_DIRECTORY]: 'mode=750,size=512m,uid=redis,gid=redis' },
  };

  /** One for the node, which is a client of the others too, and so for the fence. */
  function certificates(): HostFile[] {
    const { ca, certificate, key } = keys.certificate(host.name);
    return [
      ...[
        ofRedis(inData('ca.pem'), ca),
        ofRedis(inData('server.pem'), certificate),
        ofRedis(inData('server.key'), key),
      ],
      ...[ofRoot(HOST_FILES.ca, ca), ofRoot(HOST_FILES.certificate, certificate), ofRoot(HOST_FILES.key, key)],
    ];
  }
}
