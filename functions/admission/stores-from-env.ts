import { dynamoClient, eventBridgeClient } from '../aws/clients.ts';
import { eventBridgePublisher } from '../aws/event-publisher.ts';
import { requireEnv } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { AuditLog } from '../tables/audit-log.ts';
import { LeaseStore } from '../tables/leases.ts';
import { ClusterLocks } from '../tables/locks.ts';

/** The stores as the handlers wire them: from the environment that the stack sets. Made when first asked for. */
export function auditLog(): AuditLog {
  return new AuditLog({
    dynamo: dynamoClient(),
    tableName: requireEnv('HOLDFAST_AUDIT_TABLE'),
    clock: systemClock,
    publish: eventBridgePublisher(
      eventBridgeClient({ attempts: 2, timeoutMs: 1_000 }),
      requireEnv('HOLDFAST_EVENT_BUS'),
    ),
  });
}

/** For functions that only read the log: they may not publish and have no bus. */
export function auditReader(): Pick<AuditLog, 'read'> {
  return new AuditLog({ dynamo: dynamoClient(), tableName: requireEnv('HOLDFAST_AUDIT_TABLE'), clock: systemClock });
}

export function leaseStore(): LeaseStore {
  return new LeaseStore({ dynamo: dynamoClient(), tableName: requireEnv('HOLDFAST_LEASE_TABLE'), clock: systemClock });
}

export function clusterLocks(): ClusterLocks {
  return new ClusterLocks({ dynamo: dynamoClient(), tableName: requireEnv('HOLDFAST_LOCK_TABLE') });
}
