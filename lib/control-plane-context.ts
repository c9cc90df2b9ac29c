import type { Configuration } from '../functions/engines/configuration.ts';
import type { Admission } from './admission.ts';
import type { Capability } from './capability.ts';
import type { FunctionNetwork } from './control-function.ts';
import type { FaultDocuments } from './fault-documents.ts';
import type { FisAccess } from './fis-access.ts';
import type { NotificationTopics } from './notification-topics.ts';
import type { AuditTable, LeaseTable, LockTable, RecordTable, ReservationTable } from './tables.ts';

/** What the groups of functions are wired with. */
export interface ControlPlaneContext {
  configuration: Configuration;
  configurationFile: string;
  leases: LeaseTable;
  audit: AuditTable;
  reservations: ReservationTable;
  locks: LockTable;
  records: RecordTable;
  documents: FaultDocuments;
  fis: FisAccess;
  /** Read what the configured stores are opened with. */
  stores: Capability;
  /** Read what the Prometheus of each cluster says. */
  telemetry: Capability;
  /** Read whether its alerting rules work. */
  alertingRules: Capability;
  /** Read instances and their tags. */
  instances: Capability;
  /** Read the states of alarms. */
  alarms: Capability;
  network: FunctionNetwork;
  topics: NotificationTopics;
  /** Whether an experiment may start. */
  admission: Admission;
}
