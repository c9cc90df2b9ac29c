import { lookup } from 'node:dns';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';

interface Node {
  name: string;
  addresses: readonly string[];
}

/** Connects to these nodes and nobody else, by address or by whatever name, and wants each to prove its own server name. */
export function identityAmong<N extends Node>(
  nodes: readonly N[],
  serverName: (node: N) => string,
): Pick<ConnectionOptions, 'lookup' | 'checkServerIdentity'> {
  const at = (address: string) => nodes.find(({ addresses }) => addresses.includes(address));
  const stranger = (host: string) => new Error(`${host}: is none of ${nodes.map(({ name }) => name).join(', ')}`);
  const resolved = new Map<string, N>();
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
