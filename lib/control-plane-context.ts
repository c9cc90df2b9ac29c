import type { Configuration } from '../functions/domain/configuration.ts';
import type { AuditStore } from './audit-store.ts';
import type { Capability } from './capability.ts';
import type { FunctionNetwork } from './control-function.ts';
import type { ExperimentStore, LockStore } from './experiment-store.ts';
import type { FaultDocuments } from './fault-documents.ts';
import type { LeaseStore } from './lease-store.ts';
import type { RecordStore } from './record-store.ts';
import type { ServiceFaults } from './service-faults.ts';

/** What the groups of functions are wired with. */
export interface ControlPlaneContext {
  configuration: Configuration;
  configurationFile: string;
  leases: LeaseStore;
  audit: AuditStore;
  experiments: ExperimentStore;
  locks: LockStore;
  records: RecordStore;
  documents: FaultDocuments;
  serviceFaults: ServiceFaults;
  /** Read the credentials of the configured stores. */
  secrets: Capability;
  /** Read instances and their tags. */
  instances: Capability;
  /** Read the states of alarms. */
  alarms: Capability;
  network: FunctionNetwork;
}
