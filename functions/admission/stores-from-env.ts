import { AuditLog } from '../audit/audit-log.ts';
import { eventBridgePublisher } from '../audit/event-publisher.ts';
import { LeaseStore } from '../guard/lease.ts';
import { dynamoClient, eventBridgeClient } from '../shared/clients.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { ClusterLocks } from './cluster-locks.ts';

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
