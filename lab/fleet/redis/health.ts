import { Redis } from 'ioredis';
import { waitFor } from '../../shared/wait-for.ts';
import { type LabHost, type StoreKeys, shardsOf } from '../engine.ts';
import { APPLICATION } from '../store-keys.ts';
import { initialMasterOf, NODES_PER_SHARD, REDIS_PORT, SENTINEL_PORT } from './hosts.ts';
import { clientTls } from './tls.ts';
import { onSentinel } from './users.ts';

const REPLICAS_PER_SHARD = NODES_PER_SHARD - 1;
const OTHER_SENTINELS = NODES_PER_SHARD - 1;
const READY_TIMEOUT_SECONDS = 30;

async function withClient<T>(
  host: LabHost,
  port: number,
  keys: StoreKeys,
  use: (client: Redis) => Promise<T>,
): Promise<T> {
  const tls = clientTls(host, keys);
  const client = new Redis({
    host: host.dataAddress,
    port,
    ...keys.user(port === SENTINEL_PORT ? onSentinel(APPLICATION, host) : APPLICATION),
    ...(tls ? { tls } : {}),
    lazyConnect: true,
    connectTimeout: 1000,
    commandTimeout: 1000,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // The failure of a command says the same; without a listener ioredis prints to the console.
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** A flat list `[name, value, …]` of Sentinel as a record. */
export function pairs(reply: unknown): Record<string, string> {
  if (!Array.isArray(reply)) return {};
  const record: Record<string, string> = {};
  for (let index = 0; index + 1 < reply.length; index += 2) record[String(reply[index])] = String(reply[index + 1]);
  return record;
}

async function replicationProblem(shard: string, keys: StoreKeys): Promise<string | undefined> {
  const info = await withClient(initialMasterOf(shard), REDIS_PORT, keys, (client) => client.info('replication'));
  const online = info.match(/^slave\d+:.*state=online/gm)?.length ?? 0;
  return online === REPLICAS_PER_SHARD ? undefined : `${shard}: ${online} of ${REPLICAS_PER_SHARD} replicas online`;
}

async function sentinelProblem(host: LabHost, keys: StoreKeys): Promise<string | undefined> {
  const { shard, dataAddress: address } = host;
  return withClient(host, SENTINEL_PORT, keys, async (client) => {
    const master = pairs(await client.call('SENTINEL', 'MASTER', shard));
    if (master.flags !== 'master') return `Sentinel ${address} sees ${shard} as ${master.flags}`;
    if (Number(master['num-other-sentinels']) !== OTHER_SENTINELS) {
      return `Sentinel ${address} knows ${master['num-other-sentinels']} of ${OTHER_SENTINELS} others`;
    }
    const replies = await client.call('SENTINEL', 'REPLICAS', shard);
    const replicas = Array.isArray(replies) ? replies.map(pairs) : [];
    const up = replicas.filter((one) => one.flags === 'slave' && one['master-link-status'] === 'ok').length;
    return up === REPLICAS_PER_SHARD
      ? undefined
      : `Sentinel ${address} sees ${up} of ${REPLICAS_PER_SHARD} replicas up`;
  });
}

async function firstProblem(checks: Promise<string | undefined>[]): Promise<string | undefined> {
  return (await Promise.all(checks)).find((problem) => problem !== undefined);
}

/** @throws Error naming the first shard whose replicas have not joined within 30 s. */
export async function waitForReplication(hosts: readonly LabHost[], keys: StoreKeys): Promise<void> {
  await waitFor('Redis replication', READY_TIMEOUT_SECONDS, () =>
    firstProblem(shardsOf(hosts).map((shard) => replicationProblem(shard, keys))),
  );
}

/** Every Sentinel knows both others and both replicas: from here on a failover can succeed. */
export async function waitForSentinels(hosts: readonly LabHost[], keys: StoreKeys): Promise<void> {
  await waitFor('Sentinel', READY_TIMEOUT_SECONDS, () =>
    firstProblem(hosts.map((host) => sentinelProblem(host, keys))),
  );
}
