import { cut, MAX_REASON_CHARACTERS } from './limits.ts';

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
  NotAdmitted: 'NotAdmitted',
  OutsideLimits: 'OutsideLimits',
} as const;
export type ErrorName = (typeof ErrorName)[keyof typeof ErrorName];

/** Node's Lambda runtime reports `error.name` as Step Functions' `Error`. */
export class WorkflowError extends Error {
  /** @param message is cut: the state machine carries it on, and some speak of every node */
  constructor(name: ErrorName, message: string, options?: ErrorOptions) {
    super(cut(message, MAX_REASON_CHARACTERS), options);
    this.name = name;
  }
}
