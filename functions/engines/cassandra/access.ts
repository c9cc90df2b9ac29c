import type { ConnectionOptions } from 'node:tls';
import { serverNameOf } from '../../domain/configuration.ts';
import { identityAmong } from '../../runtime/tls-identity.ts';
import type { StoreAccess } from '../engine.ts';
import type { CassandraCluster } from './configuration.ts';

export interface Login {
  username: string;
  password: string;
}

interface Node {
  name: string;
  port: number;
}

/** How the nodes of a cluster are talked to. */
export interface CassandraAccess {
  /** Undefined: nodes ask for none. */
  login: Login | undefined;
  /** Undefined: in plain text. @throws Error when the node's name makes no host name. */
  tlsTo(node: Node): ConnectionOptions | undefined;
  /** The same for a client that moves between these nodes, found by what it connects to. */
  tlsAmong(nodes: readonly (Node & { addresses: readonly string[] })[]): ConnectionOptions | undefined;
}

/** @throws Error when the secret lacks the user or the password. */
export function cassandraAccess(
  { tls, secretName }: Pick<CassandraCluster, 'tls' | 'secretName'>,
  { credentials, certificates }: StoreAccess,
): CassandraAccess {
  const { ca, client } = certificates;
  const own: ConnectionOptions = {
    // The driver's own default is to believe anybody.
    rejectUnauthorized: true,
    ...(ca ? { ca } : {}),
    ...(client ? { cert: client.certificate, key: client.key } : {}),
  };
  return {
    login: secretName === undefined ? undefined : loginOf(credentials),
    tlsTo: (node) => tls && { ...own, servername: serverNameOf(tls, node) },
    tlsAmong: (nodes) => tls && { ...own, ...identityAmong(nodes, (node) => serverNameOf(tls, node)) },
  };
}

function loginOf({ username, password }: StoreAccess['credentials']): Login {
  if (!username || !password) throw new Error('the secret must have "username" and "password"');
  return { username, password };
}
