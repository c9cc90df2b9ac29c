import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import type { ProbeChoices } from '../../domain/experiment.ts';
import type { ProbedShard } from '../../domain/probed-shards.ts';
import type { FailoverNews } from '../../domain/recovery-phases.ts';
import type { TargetNode } from '../../domain/targets.ts';
import { withDeadline } from '../../domain/with-deadline.ts';
import { addressesOfName } from '../../runtime/addresses-of-name.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import type { KeyedProbe, StoreAccess } from '../engine.ts';
import { type RedisAccess, redisAccess } from './access.ts';
import type { RedisCluster } from './configuration.ts';
import { askRedis, parseInfo } from './connection.ts';
import type { REDIS_HEALTH } from './engine.ts';
import { failoverNews } from './failover-news.ts';
import { follow, masterSwitch } from './follow-failovers.ts';
import { healthOf, type ReplicationInfo } from './health.ts';
import { listenToSentinels, type SentinelEvent, type SentinelListening } from './sentinel-events.ts';

const CONNECT_TIMEOUT_MS = 700;
/** Longer than the WAIT inside. */
const COMMAND_TIMEOUT_MS = 1000;
const WAIT_MS = 500;
const RECONNECT_DELAY_MS = 100;
/** Keys that a probe could not delete go by themselves. */
const KEY_EXPIRY_SECONDS = 3600;
const CHUNK = 500;
/** A node that is asked for its health every second has so long to answer. */
const HEALTH_TIMEOUT_MS = 500;

export interface RedisProbeOptions extends ProbedShard {
  cluster: RedisCluster;
  access: StoreAccess;
  choices: ProbeChoices;
}

/** A real client of one shard, as an application should be configured: Sentinel mode, and told of failovers. */
export function redisProbe(options: RedisProbeOptions): KeyedProbe {
  const { shard, members, impacted, cluster, choices } = options;
  const access = redisAccess(cluster, options.access);
  // A client whose first Sentinel is on the isolated node would stay on the old master: that one comes last.
  const isImpacted = (node: TargetNode) => impacted.some((other) => other.name === node.name);
  const ordered = [...members].sort((a, b) => Number(isImpacted(a)) - Number(isImpacted(b)));
  const writer = sentinelClient(options, access, ordered);
  // An application has a pool: its reads do not wait behind a write that waits for replicas.
  const reader = sentinelClient(options, access, ordered);
  const sentinelOf = (node: TargetNode) => ({
    node: node.name,
    addresses: node.addresses,
    port: cluster.redis.sentinelPort,
    tls: access.tlsTo(node),
    login: access.sentinel,
  });
  let listening: SentinelListening | undefined;
  let tell = (_news: FailoverNews) => {};
  let complain = (_problem: string) => {};
  let failovers = 0;
  let announcedMaster: string | undefined;
  const ask = async <T>(node: TargetNode, question: (redis: Redis) => Promise<T>): Promise<T> =>
    askRedis({ addresses: node.addresses, port: node.port, tls: access.tlsTo(node), login: access.store }, question);

  function hear(event: SentinelEvent): void {
    const switched = masterSwitch(shard, event);
    if (switched) {
      if (choices.follows !== 'disconnect') for (const client of [writer, reader]) void follow(client, switched);
      // Each Sentinel announces it, one that was cut off when it is back.
      if (switched.to !== announcedMaster) failovers += 1;
      announcedMaster = switched.to;
    }
    const news = failoverNews(shard, event, members);
    if (news) tell(news);
  }

  async function replicationInfo(node: TargetNode): Promise<[string, ReplicationInfo][]> {
    const asked = ask(node, async (redis) => parseInfo(await redis.info('replication')));
    const info = await withDeadline(asked, systemClock, HEALTH_TIMEOUT_MS).catch(() => undefined);
    return info ? [[node.name, info]] : [];
  }

  /** @throws Error also when a Sentinel names somebody who is no member: credentials go to nobody else. */
  async function master(): Promise<TargetNode> {
    let last: unknown = new Error(`shard ${shard}: has no members`);
    for (const node of ordered) {
      try {
        const reply = await askRedis(sentinelOf(node), (redis) =>
          redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', shard),
        );
        if (!Array.isArray(reply)) throw new Error(`shard ${shard}: unknown to a Sentinel`);
        const [host, port] = [String(reply[0]), Number(reply[1])];
        const addresses = await addressesOfName(host);
        const named = members.find(
          (member) => member.port === port && member.addresses.some((address) => addresses.includes(address)),
        );
        if (named) return named;
        throw new Error(`shard ${shard}: ${host}:${port} is not one of its nodes`);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  /** Sentinel's word is not enough: during a failover the old master may still be named. */
  async function onMaster<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const node = await master();
    return ask(node, async (redis) => {
      const role: unknown = await redis.call('ROLE');
      if (!Array.isArray(role) || role[0] !== 'master') throw new Error(`${node.name}: is not the master`);
      return question(redis);
    });
  }

  return {
    shard,
    async connect() {
      listening = listenToSentinels(ordered.map(sentinelOf), { tell: hear, complain });
      await Promise.all([writer.connect(), reader.connect()]);
    },
    async write(key, value) {
      try {
        if (choices.waitReplicas === '0') return (await writer.set(key, value, 'EX', KEY_EXPIRY_SECONDS)) === 'OK';
        // One pipeline on one connection: WAIT on another would answer for nothing.
        const replies = await writer.pipeline().set(key, value, 'EX', KEY_EXPIRY_SECONDS).wait(1, WAIT_MS).exec();
        const [set, wait] = replies ?? [];
        return set?.[1] === 'OK' && Number(wait?.[1] ?? 0) >= 1;
      } catch {
        return false;
      }
    },
    read: (key) => reader.get(key).catch(() => undefined),
    async isOnImpacted(key, value) {
      const values = await Promise.all(impacted.map((node) => ask(node, (redis) => redis.get(key))));
      return values.length > 0 && values.every((found) => found === value);
    },
    leader: async () => (await master()).name,
    async health() {
      const [infos, named] = await Promise.all([
        Promise.all(members.map(replicationInfo)),
        withDeadline(master(), systemClock, HEALTH_TIMEOUT_MS).catch(() => undefined),
      ]);
      const known = listening?.isHearing() ? { failovers } : {};
      return { ...healthOf(members.length, new Map(infos.flat()), named?.name), ...known };
    },
    copiesMeasure: 'onlineReplicas' satisfies keyof typeof REDIS_HEALTH,
    listen(...listener) {
      [tell, complain] = listener;
    },
    readAll: (keys) =>
      onMaster(async (redis) => {
        const found = new Map<string, string | null>();
        for (const chunk of chunks(keys)) {
          const values = await redis.mget(...chunk);
          chunk.forEach((key, index) => {
            found.set(key, values[index] ?? null);
          });
        }
        return found;
      }),
    removeAll: (keys) =>
      onMaster(async (redis) => {
        for (const chunk of chunks(keys)) await redis.unlink(...chunk);
      }),
    close: () => {
      listening?.stop();
      for (const client of [writer, reader]) {
        client.removeAllListeners('end');
        client.disconnect();
      }
    },
  };
}

function sentinelClient(
  { shard, cluster }: RedisProbeOptions,
  { store, sentinel, tlsAmong }: RedisAccess,
  ordered: readonly TargetNode[],
): Redis {
  const tls = tlsAmong(ordered);
  const client = new Redis({
    sentinels: ordered.map(({ addresses: [host = ''] }) => ({ host, port: cluster.redis.sentinelPort })),
    name: shard,
    role: 'master',
    protocol: 2,
    ...store,
    ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password }),
    ...(tls ? { tls, sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
    // The Sentinels stay in the order given; learnt ones would put an isolated one in front.
    updateSentinels: false,
    natMap: (key) => refuseStranger(key, ordered),
    // A demoted master answers READONLY: the connection is to the wrong node.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    // How long a closed connection may wait for a peer that cannot answer any more.
    disconnectTimeout: RECONNECT_DELAY_MS,
    lazyConnect: true,
    disableClientInfo: true,
    // A write that is sent again later, or a WAIT without its SET, would be counted for what it is not.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    // A silently dropped connection is never closed by anybody else.
    socketTimeout: 2 * COMMAND_TIMEOUT_MS,
    retryStrategy: () => RECONNECT_DELAY_MS,
    sentinelRetryStrategy: () => RECONNECT_DELAY_MS,
    sentinelReconnectStrategy: () => 500,
  });
  client.on('error', () => {});
  // ioredis gives up for good when a failover is announced while it is connecting; an application must not.
  client.on('end', () => setTimeout(() => client.connect().catch(() => {}), RECONNECT_DELAY_MS));
  return client;
}

/**
 * Credentials go to nobody else, whoever a Sentinel names. A name is not looked up here: with TLS that is seen to, see access.ts.
 * @throws Error for an address that no member has
 */
function refuseStranger(key: string, members: readonly TargetNode[]): null {
  const host = key.slice(0, key.lastIndexOf(':'));
  if (isIP(host) && !members.some(({ addresses }) => addresses.includes(host)))
    throw new Error(`${key}: is not a node of the shard`);
  return null;
}

function chunks(keys: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(keys.length / CHUNK) }, (_, index) =>
    keys.slice(index * CHUNK, (index + 1) * CHUNK),
  );
}
