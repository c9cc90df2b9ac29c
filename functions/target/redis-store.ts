import type { Redis } from 'ioredis';
import type { LiveNode } from './ec2-nodes.ts';
import { askRedis } from './redis-connection.ts';
import {
  mergeTopology,
  type RedisView,
  type SentinelMaster,
  type SentinelPeer,
  type SentinelView,
} from './redis-topology.ts';
import type { Store, StoreCluster, StoreCredentials } from './store.ts';

/** Redis with a Sentinel beside every node: every one of both is asked, nobody speaks for another. */
export function redisStore(cluster: StoreCluster, credentials: StoreCredentials): Store {
  const { tls, port } = cluster;
  const ask = <T>(node: LiveNode, askedPort: number, question: (redis: Redis) => Promise<T>): Promise<T> =>
    askRedis({ addresses: node.addresses, port: askedPort, tls, credentials }, question);

  async function sentinelView(node: LiveNode): Promise<SentinelView> {
    try {
      return { node: node.name, masters: await ask(node, cluster.redis.sentinelPort, readMasters) };
    } catch (error) {
      return { node: node.name, problem: String(error) };
    }
  }
  async function redisView(node: LiveNode): Promise<RedisView> {
    try {
      return { node: node.name, ...(await ask(node, port, readReplication)) };
    } catch (error) {
      return { node: node.name, problem: String(error) };
    }
  }
  return {
    async readTopology(nodes) {
      const [sentinels, redises] = await Promise.all([
        Promise.all(nodes.map(sentinelView)),
        Promise.all(nodes.map(redisView)),
      ]);
      return mergeTopology(nodes, sentinels, redises);
    },
  };
}

async function readMasters(sentinel: Redis): Promise<SentinelMaster[]> {
  const masters = records(await sentinel.call('SENTINEL', 'MASTERS'));
  return Promise.all(
    masters.map(async (master) => {
      const name = master.name ?? '';
      const [replicas, sentinels] = await Promise.all([
        sentinel.call('SENTINEL', 'REPLICAS', name),
        sentinel.call('SENTINEL', 'SENTINELS', name),
      ]);
      return {
        name,
        ...toPeer(master),
        replicas: records(replicas).map(toPeer),
        sentinels: records(sentinels).map(toPeer),
      };
    }),
  );
}

async function readReplication(redis: Redis) {
  const info = parseInfo(await redis.info('replication'));
  return {
    role: info.role ?? 'unknown',
    ...(info.master_host === undefined ? {} : { masterHost: info.master_host }),
    ...(info.master_link_status === undefined ? {} : { masterLinkStatus: info.master_link_status }),
  };
}

function toPeer(record: Record<string, string>): SentinelPeer {
  return { ip: record.ip ?? '', port: Number(record.port), flags: (record.flags ?? '').split(',') };
}

/** `name:value` lines of `INFO`. */
export function parseInfo(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':') && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Sentinel answers with lists of `[name, value, name, value …]`. @throws Error for anything else */
export function records(reply: unknown): Record<string, string>[] {
  if (!Array.isArray(reply)) throw new Error('Sentinel answered something else than a list');
  return reply.map((entry: unknown) => {
    if (!Array.isArray(entry)) throw new Error('Sentinel answered a list of something else than fields');
    const fields = entry.map(String);
    return Object.fromEntries(
      Array.from({ length: fields.length / 2 }, (_, index) => [fields[2 * index] ?? '', fields[2 * index + 1] ?? '']),
    );
  });
}
