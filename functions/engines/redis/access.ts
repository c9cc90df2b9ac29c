import { lookup } from 'node:dns';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { serverNameOf } from '../../domain/configuration.ts';
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

/** Connects to these nodes and nobody else, by address or by whatever name, and wants each to prove its own server name. */
function identityAmong(
  nodes: readonly Node[],
  serverName: (node: Node) => string,
): Pick<ConnectionOptions, 'lookup' | 'checkServerIdentity'> {
  const at = (address: string) => nodes.find(({ addresses }) => addresses.includes(address));
  const stranger = (host: string) => new Error(`${host}: is none of ${nodes.map(({ name }) => name).join(', ')}`);
  const resolved = new Map<string, Node>();
  return {
    lookup(host, options, callback) {
      lookup(host, { ...options, all: true }, (error, found) => {
        const own = found?.filter(({ address }) => at(address)) ?? [];
        const [first] = own;
        const node = first && at(first.address);
        if (!first || !node) return callback(error ?? stranger(host), '', 0);
        resolved.set(host, node);
        return options.all ? callback(null, own) : callback(null, first.address, first.family);
      });
    },
    checkServerIdentity(host, certificate) {
      const node = at(host) ?? resolved.get(host);
      return node ? checkServerIdentity(serverName(node), certificate) : stranger(host);
    },
  };
}
