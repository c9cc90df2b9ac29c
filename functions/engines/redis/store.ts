import type { Redis } from 'ioredis';
import type { LiveNode } from '../../domain/targets.ts';
import { log } from '../../runtime/log.ts';
import type { Store, StoreAccess } from '../engine.ts';
import { type Login, redisAccess } from './access.ts';
import { resolveNames } from './announced-names.ts';
import type { RedisCluster } from './configuration.ts';
import { askRedis, parseInfo } from './connection.ts';
import { persistenceProblems, saveAgain } from './persistence.ts';
import {
  mergeTopology,
  type RedisView,
  type SentinelMaster,
  type SentinelPeer,
  type SentinelView,
} from './topology.ts';

/** Redis with a Sentinel beside every node: every one of both is asked, nobody speaks for another. */
export function redisStore(cluster: RedisCluster, storeAccess: StoreAccess): Store {
  const access = redisAccess(cluster, storeAccess);
  const ask = async <T>(
    node: LiveNode,
    port: number,
    login: Login,
    question: (redis: Redis) => Promise<T>,
  ): Promise<T> => askRedis({ addresses: node.addresses, port, tls: access.tlsTo(node), login }, question);
  const askStore = <T>(node: LiveNode, question: (redis: Redis) => Promise<T>) =>
    ask(node, node.port, access.store, question);

  async function sentinelView(node: LiveNode): Promise<SentinelView> {
    try {
      return { node: node.name, masters: await ask(node, cluster.redis.sentinelPort, access.sentinel, readMasters) };
    } catch (error) {
      return { node: node.name, problem: String(error) };
    }
  }
  async function redisView(node: LiveNode): Promise<RedisView> {
    try {
      return { node: node.name, ...(await askStore(node, readState)) };
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
      return mergeTopology(nodes, ...(await resolveNames(nodes, sentinels, redises)));
    },
    async repair(nodes) {
      const repairs = await Promise.all(
        nodes.map(async (node) => {
          try {
            return (await askStore(node, saveAgain)) ? [`${node.name}: BGSAVE begun, its last save had failed`] : [];
          } catch (error) {
            log.warn('not repaired yet', { node: node.name, error: String(error) });
            return [];
          }
        }),
      );
      return repairs.flat();
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

async function readState(redis: Redis) {
  // One after the other on one connection: some versions take one section only.
  const info = parseInfo(await redis.info('replication'));
  const unsaved = persistenceProblems(parseInfo(await redis.info('persistence')));
  const uptime = /^\d+$/.exec(parseInfo(await redis.info('server')).uptime_in_seconds ?? '')?.[0];
  return {
    role: info.role ?? 'unknown',
    ...(info.master_host === undefined ? {} : { masterHost: info.master_host, masterPort: Number(info.master_port) }),
    ...(info.master_link_status === undefined ? {} : { masterLinkStatus: info.master_link_status }),
    ...(unsaved.length === 0 ? {} : { persistenceProblems: unsaved }),
    ...(uptime === undefined ? {} : { uptimeSeconds: Number(uptime) }),
  };
}

function toPeer(record: Record<string, string>): SentinelPeer {
  return { ip: record.ip ?? '', port: Number(record.port), flags: (record.flags ?? '').split(',') };
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
