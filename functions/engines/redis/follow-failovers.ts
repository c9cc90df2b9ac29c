import { Redis } from 'ioredis';
import { addressesOfName } from './announced-names.ts';
import type { RedisEndpoint } from './connection.ts';

const CHANNEL = '+switch-master';
const RECONNECT_DELAY_MS = 500;

/**
 * Connects `client` anew when a Sentinel announces another master of the shard than the one that it has. ioredis's own
 * detector hangs up at every announcement, and each Sentinel makes one: a client that has followed already would fail
 * again, for no fault of the store.
 *
 * @returns what ends it
 */
export function followFailovers(client: Redis, shard: string, sentinels: readonly RedisEndpoint[]): () => void {
  const subscribers = sentinels.flatMap(({ addresses, port, tls, login }) =>
    addresses.map((host) => {
      const subscriber = new Redis({
        ...{ host, port, protocol: 2, ...login, ...(tls ? { tls } : {}) },
        lazyConnect: true,
        disableClientInfo: true,
        enableReadyCheck: false,
        maxRetriesPerRequest: null,
        retryStrategy: () => RECONNECT_DELAY_MS,
      });
      // One that cannot be reached is one of several.
      subscriber.on('error', () => {});
      subscriber.on('message', (_channel, message) => void follow(client, shard, message));
      subscriber.subscribe(CHANNEL).catch(() => {});
      return subscriber;
    }),
  );
  return () => {
    for (const subscriber of subscribers) subscriber.disconnect();
  };
}

/** @param message `<shard> <old host> <old port> <new host> <new port>` */
async function follow(client: Redis, shard: string, message: string): Promise<void> {
  const [name, , , host = '', port] = message.split(' ');
  if (name !== shard) return;
  const addresses = await addressesOfName(host);
  const { remoteAddress, remotePort } = client.stream ?? {};
  const isThere = addresses.includes(remoteAddress ?? '') && remotePort === Number(port);
  if (!isThere) client.disconnect(true);
}
