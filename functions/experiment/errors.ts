/**
 * Error names that cross a process boundary: thrown by a Lambda, seen by the state machine's catchers and written to
 * the audit log. Shared constants, so that thrower and catcher cannot drift apart.
 */
export const ErrorName = {
  SteadyStateNotMet: 'SteadyStateNotMet',
  TargetsUnresolved: 'TargetsUnresolved',
  GuardrailBreached: 'GuardrailBreached',
  LeaseReleased: 'LeaseReleased',
  InjectionFailed: 'InjectionFailed',
} as const;
export type ErrorName = (typeof ErrorName)[keyof typeof ErrorName];

/** Node's Lambda runtime reports `error.name` as Step Functions' `Error`. */
export class WorkflowError extends Error {
  constructor(name: ErrorName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}
