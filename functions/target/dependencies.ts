import { AuditLog } from '../audit/audit-log.ts';
import { eventBridgePublisher } from '../audit/event-publisher.ts';
import type { Cluster, Configuration } from '../experiment/configuration.ts';
import { LeaseStore } from '../guard/lease.ts';
import { dynamoClient, ec2Client, eventBridgeClient, secretsManagerClient } from '../shared/clients.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { readCredentials } from './credentials.ts';
import { type LiveNode, listLiveNodes } from './ec2-nodes.ts';
import { redisStore } from './redis-store.ts';
import type { Store, StoreTopology } from './store.ts';

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
  // Short tries: a beat that comes late is as bad as none.
  const dynamo = dynamoClient({ attempts: 3, timeoutMs: 600 });
  return new LeaseStore({ dynamo, tableName: requireEnv('HOLDFAST_LEASE_TABLE'), clock: systemClock });
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
