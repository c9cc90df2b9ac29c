import { DOMAIN } from '../../shared/topology.ts';
import type { LabHost } from '../engine.ts';

/** Of clients, between brokers, and of the quorum. */
export const CLIENT_PORT = 9092;
export const BROKER_PORT = 9094;
export const CONTROLLER_PORT = 9095;
export const KAFKA_UNIT = 'kafka';
/** A user that the lab's hosts have for it. */
export const KAFKA_ACCOUNT = 'kafka';
/** The volume. What is in its root is no partition, so the log directory lies below. */
export const VOLUME = '/var/lib/kafka';
export const LOG_DIRECTORY = `${VOLUME}/data`;
export const CLUSTER = 'kafka-orders';
/** The same hosts as a cluster that may lose its quorum. */
export const DISPOSABLE_CLUSTER = 'kafka-disposable';

/** `kafka-node-1…3`, each broker and controller. */
export const KAFKA_HOSTS = hostsOf(CLUSTER);

export function hostsOf(cluster: string): readonly LabHost[] {
  return [1, 2, 3].map((number) => hostOf(number, cluster));
}

function hostOf(number: number, cluster: string): LabHost {
  const name = `kafka-node-${number}`;
  const address = 30 + number;
  return {
    name,
    instanceId: `i-0${address.toString(16).padStart(16, '0')}`,
    shard: cluster,
    dataAddress: `10.77.0.${address}`,
    managementAddress: `10.78.0.${address}`,
    tags: { Name: name, 'holdfast-target': 'true', 'holdfast-cluster': cluster },
    securityGroupId: 'sg-0a1b2c3d4e5f60003',
    tlsOnly: true,
  };
}

/** What a broker is called in the protocol; people and the product call it by its host. */
export function nodeIdOf({ name }: Pick<LabHost, 'name'>): number {
  return KAFKA_HOSTS.findIndex((host) => host.name === name) + 1;
}

/** @throws Error for an id that no broker of the lab has. */
export function hostOfNode(nodeId: number): LabHost {
  const host = KAFKA_HOSTS[nodeId - 1];
  if (host === undefined) throw new Error(`no broker has the id ${nodeId}`);
  return host;
}

/** As certificates name it and as brokers announce it. */
export function announcedAs({ name }: Pick<LabHost, 'name'>): string {
  return `${name}.${DOMAIN}`;
}
