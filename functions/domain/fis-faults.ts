import type { ServiceFault } from './fis-fault.ts';
import type { ServiceRollback } from './workflow.ts';

/** The narrow port to the service that applies what no host can. */
export interface ServiceFaults {
  /**
   * Creates and starts one experiment of the service, and waits until it runs. Recorded by the caller beforehand.
   * @throws WorkflowError LeaseReleased when the right to go on ended on the way; then it is told to stop.
   * @throws Error with the reason when it does not run. That may be wrong: the caller rolls back.
   */
  inject(experimentId: string, service: ServiceFault): Promise<{ fisExperimentId: string }>;
  /**
   * Ends every experiment of the service that carries the experiment's tag, brings the targets back and deletes what
   * was made for it. Works from the id alone, and never rejects: a failure is a result.
   * @param announced ids of the faults that may be there, empty when nobody knows: one that is not found is looked for
   *   a while, because its injection may still be under way
   * @param deadlineMs of the monotonic clock
   */
  rollBack(experimentId: string, announced: readonly string[], deadlineMs: number): Promise<ServiceRollback[]>;
}
