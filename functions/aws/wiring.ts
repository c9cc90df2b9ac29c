import type { Cluster, Configuration } from '../domain/configuration.ts';
import type { Store, StoreTopology } from '../engines/engine.ts';
import { redisStore } from '../engines/redis/store.ts';
import type { GuardDependencies } from '../guard/guard.ts';
import { requireEnv } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { AuditLog } from '../tables/audit-log.ts';
import { LeaseStore } from '../tables/leases.ts';
import { dynamoClient, ec2Client, eventBridgeClient, secretsManagerClient } from './clients.ts';
import { readCredentials } from './credentials.ts';
import { eventBridgePublisher } from './event-publisher.ts';
import { type LiveNode, listLiveNodes } from './live-nodes.ts';

/** What the workflow's Lambdas are wired with; each uses its part, and its environment names only that part. */
export function auditLogFromEnv(): AuditLog {
  return new AuditLog({
    dynamo: dynamoClient(),
    tableName: requireEnv('HOLDFAST_AUDIT_TABLE'),
    clock: systemClock,
    publish: eventBridgePublisher(eventBridgeClient(), requireEnv('HOLDFAST_EVENT_BUS')),
  });
}

export function leaseStoreFromEnv(): LeaseStore {
  return leaseStoreWith(dynamoClient({ attempts: 3, timeoutMs: 600 }));
}

/**
 * The guard's: one passing evaluation is one beat, so a beat (and what it depends on) is sent once, and late is as bad
 * as never. Letting go may be repeated: it is idempotent.
 */
export function guardLeasesFromEnv(): GuardDependencies['leases'] {
  const timeoutMs = 700;
  const once = leaseStoreWith(dynamoClient({ attempts: 1, timeoutMs }), timeoutMs);
  const patient = leaseStoreFromEnv();
  return {
    renew: (experimentId, readings) => once.renew(experimentId, readings),
    killSwitchEngaged: () => once.killSwitchEngaged(),
    read: (experimentId) => patient.read(experimentId),
    release: (experimentId, reason, detail) => patient.release(experimentId, reason, detail),
  };
}

function leaseStoreWith(dynamo: ReturnType<typeof dynamoClient>, requestTimeoutMs = 2000): LeaseStore {
  return new LeaseStore({
    dynamo,
    tableName: requireEnv('HOLDFAST_LEASE_TABLE'),
    clock: systemClock,
    requestTimeoutMs,
  });
}

/** The adapter of a cluster's engine, with its credentials. A new engine is one more case here. */
export async function openStore(cluster: Cluster): Promise<Store> {
  const credentials = await readCredentials(secretsManagerClient(), cluster);
  switch (cluster.engine) {
    case 'redis':
      return redisStore(cluster, credentials);
  }
}

/** Who is live, and what the store says of them. */
export async function observeCluster(
  cluster: Cluster,
  configuration: Configuration,
): Promise<{ nodes: LiveNode[]; topology: StoreTopology }> {
  const [nodes, store] = await Promise.all([listLiveNodes(ec2Client(), cluster, configuration), openStore(cluster)]);
  return { nodes, topology: await store.readTopology(nodes) };
}
