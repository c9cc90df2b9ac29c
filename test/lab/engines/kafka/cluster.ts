import type { StoreAccess } from '../../../../functions/engines/engine.ts';
import { CLUSTER, KAFKA_HOSTS, LOG_DIRECTORY, VOLUME } from '../../../../lab/fleet/kafka/hosts.ts';
import { CLIENT, type readStoreKeys } from '../../../../lab/fleet/store-keys.ts';
import { DOMAIN } from '../../../../lab/shared/topology.ts';
import { kafkaCluster } from '../../../functions/engines/kafka/fixtures.ts';

/** The brokers of a lab as the product is told of them. */
export const cluster = kafkaCluster({
  tls: { serverName: `{node}.${DOMAIN}` },
  secretName: `holdfast/${CLUSTER}`,
  credentialsFor: { securityGroupId: 'sg-0a1b2c3d4e5f60003' },
  dataDirectory: VOLUME,
  kafka: { sasl: 'SCRAM-SHA-512', logDirectories: [LOG_DIRECTORY] },
});
export const nodes = KAFKA_HOSTS.map(({ name, instanceId, dataAddress, managementAddress, tags }) => ({
  ...{ name, instanceId, tags, addresses: [managementAddress ?? [], dataAddress].flat(), port: 9092 },
  ...{ availabilityZone: 'eu-west-1a', subnetId: 'subnet-a', dataVolumeIds: [] },
}));

export function access(keys: ReturnType<typeof readStoreKeys>, user: string): StoreAccess {
  const { username, password } = keys.user(user);
  return { credentials: { username, password }, certificates: { ca: keys.certificate(CLIENT).ca } };
}
