import type { ConnectionOptions } from 'node:tls';
import { serverNameOf } from '../../domain/configuration.ts';
import { identityAmong } from '../../runtime/tls-identity.ts';
import type { StoreAccess } from '../engine.ts';
import type { KafkaCluster } from './configuration.ts';

export interface SaslLogin {
  mechanism: NonNullable<KafkaCluster['kafka']['sasl']>;
  username: string;
  password: string;
}

interface Node {
  name: string;
  port: number;
  addresses: readonly string[];
}

/** How the brokers of a cluster are talked to. */
export interface KafkaAccess {
  /** Undefined: the listener asks for none. */
  sasl: SaslLogin | undefined;
  /** Undefined: in plain text. @throws Error when the node's name makes no host name. */
  tlsTo(node: Node): ConnectionOptions | undefined;
  /** The same for a client that moves between these nodes, found by what it connects to. */
  tlsAmong(nodes: readonly Node[]): ConnectionOptions | undefined;
}

/** @throws Error when the secret lacks the user that `kafka.sasl` needs. */
export function kafkaAccess({ tls, kafka }: KafkaCluster, { credentials, certificates }: StoreAccess): KafkaAccess {
  const { ca, client } = certificates;
  const own = { ...(ca ? { ca } : {}), ...(client ? { cert: client.certificate, key: client.key } : {}) };
  return {
    sasl: kafka.sasl && login(kafka.sasl, credentials),
    tlsTo: (node) => tls && { ...own, servername: serverNameOf(tls, node) },
    tlsAmong: (nodes) => tls && { ...own, ...identityAmong(nodes, (node) => serverNameOf(tls, node)) },
  };
}

function login(mechanism: SaslLogin['mechanism'], { username, password }: StoreAccess['credentials']): SaslLogin {
  if (!username || !password) throw new Error(`the secret must have "username" and "password" for ${mechanism}`);
  return { mechanism, username, password };
}
