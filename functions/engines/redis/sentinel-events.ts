import { Redis } from 'ioredis';
import type { RedisEndpoint } from './connection.ts';

/** Whom clients follow: asked for by itself, so that a user without rights to the others still hears of it. */
export const SWITCH_MASTER = '+switch-master';
const DOUBTS = ['+sdown', '+odown'];
const RECONNECT_DELAY_MS = 500;
/** A subscription asked for again is answered again: the one sign of life that needs no right of its own. */
const SIGN_OF_LIFE_MS = 200;
/** A connection without one for so long is given up. */
const SILENT_MS = 2000;

export interface SentinelEndpoint extends RedisEndpoint {
  /** Name of the node beside the Sentinel. */
  node: string;
}

export interface SentinelEvent {
  /** Whose Sentinel says it. */
  node: string;
  channel: string;
  message: string;
  /** What else came over this connection came so long before: the Sentinel may have said it so much earlier. */
  uncertaintyMs: number;
}

export interface SentinelListening {
  /** Whether most Sentinels gave a sign of life just now: what a minority has not heard may have been all the same. */
  isHearing(): boolean;
  stop(): void;
}

export interface SentinelListener {
  tell(event: SentinelEvent): void;
  /** A Sentinel does not let us hear something, in words. */
  complain(problem: string): void;
}

/** Hears what these Sentinels publish of failovers. One that cannot be reached is one of several. */
export function listenToSentinels(
  sentinels: readonly SentinelEndpoint[],
  listener: SentinelListener,
): SentinelListening {
  const subscribers = sentinels.map((sentinel) =>
    sentinel.addresses.map((host) => subscriber(host, sentinel, listener)),
  );
  const isHeard = (own: (typeof subscribers)[number]) => own.some(({ silentMs }) => silentMs() < SILENT_MS);
  return {
    isHearing: () => 2 * subscribers.filter(isHeard).length > subscribers.length,
    stop: () => {
      for (const each of subscribers.flat()) each.stop();
    },
  };
}

function subscriber(host: string, { node, port, tls, login }: SentinelEndpoint, { tell, complain }: SentinelListener) {
  const redis = new Redis({
    ...{ host, port, protocol: 2, ...login, ...(tls ? { tls } : {}) },
    lazyConnect: true,
    disableClientInfo: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: null,
    retryStrategy: () => RECONNECT_DELAY_MS,
    socketTimeout: SILENT_MS,
  });
  let heardMs = Number.NEGATIVE_INFINITY;
  const silentMs = () => performance.now() - heardMs;
  const heard = () => {
    heardMs = performance.now();
  };
  redis.on('error', () => {});
  redis.on('message', (channel, message) => {
    tell({ node, channel, message, uncertaintyMs: silentMs() });
    heard();
  });
  let asking = false;
  const askForLife = () => {
    if (asking || redis.status !== 'ready') return;
    asking = true;
    redis
      .subscribe(SWITCH_MASTER)
      .then(heard, () => {})
      .finally(() => {
        asking = false;
      });
  };
  const refused = (channels: readonly string[]) => (error: unknown) => {
    if (error instanceof Error && error.name === 'ReplyError')
      complain(`Sentinel of ${node}: ${channels.join(' and ')}: ${error.message}`);
  };
  redis.subscribe(SWITCH_MASTER).then(heard, refused([SWITCH_MASTER]));
  redis.subscribe(...DOUBTS).catch(refused(DOUBTS));
  const timer = setInterval(askForLife, SIGN_OF_LIFE_MS);
  return {
    silentMs,
    stop: () => {
      clearInterval(timer);
      redis.disconnect();
    },
  };
}
