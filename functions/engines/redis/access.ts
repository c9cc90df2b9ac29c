import type { ConnectionOptions } from 'node:tls';
import { serverNameOf } from '../../domain/configuration.ts';
import { identityAmong } from '../../runtime/tls-identity.ts';
import type { StoreAccess } from '../engine.ts';
import type { RedisCluster } from './configuration.ts';

/** What a Redis or a Sentinel is sent first. Empty: nothing. */
export interface Login {
  username?: string;
  password?: string;
}

interface Node {
  name: string;
  port: number;
  addresses: readonly string[];
}

/** How the Redis and Sentinel processes of a cluster are talked to. */
export interface RedisAccess {
  store: Login;
  sentinel: Login;
  /** Undefined: in plain text. @throws Error when the node's name makes no host name. */
  tlsTo(node: Node): ConnectionOptions | undefined;
  /** The same for a client that moves between these nodes, found by what it connects to. */
  tlsAmong(nodes: readonly Node[]): ConnectionOptions | undefined;
}

/**
 * The secret may name another user for the Sentinels: `sentinelUsername`, `sentinelPassword`. An empty password stands for
 * Sentinels without one.
 */
export function redisAccess({ tls }: RedisCluster, { credentials, certificates }: StoreAccess): RedisAccess {
  const { username, password, sentinelUsername, sentinelPassword } = credentials;
  const store = login(username, password);
  const { ca, client } = certificates;
  const own = { ...(ca ? { ca } : {}), ...(client ? { cert: client.certificate, key: client.key } : {}) };
  return {
    store,
    sentinel: sentinelPassword === undefined ? store : login(sentinelUsername, sentinelPassword),
    tlsTo: (node) => tls && { ...own, servername: serverNameOf(tls, node) },
    tlsAmong: (nodes) => tls && { ...own, ...identityAmong(nodes, (node) => serverNameOf(tls, node)) },
  };
}

function login(username: string | undefined, password: string | undefined): Login {
  if (!password) return {};
  return { ...(username ? { username } : {}), password };
}
