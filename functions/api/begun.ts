import type { Caller, RequestedExperiment } from '../domain/experiment.ts';
import { type Problem, problem } from '../domain/problem.ts';
import type { Deadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { Answer } from './answer.ts';

export interface StartRequest {
  body: string;
  dryRun: boolean;
  caller: Caller;
  /**
   * Random, and made by us for this request alone: who has it owns its locks. API Gateway's own id is none, because the
   * caller may choose that with a header.
   */
  ownerToken: string;
}

/** How far a request came. */
export type Begun =
  | { kind: 'answer'; answer: Answer }
  | { kind: 'refused'; problem: Problem; experiment?: RequestedExperiment }
  /** `startsAt`: announced ahead, nothing is done before. */
  | { kind: 'started'; experimentId: string; startsAt?: string };

/** Until when each part of a start may take; what is late counts as unknown. */
export interface StartDeadlines {
  admitted: Deadline;
  claimed: Deadline;
  givenBack: Deadline;
  answered: Deadline;
}

/** What cannot be known is refused. */
export function unknown(what: string, error: unknown, experiment?: RequestedExperiment): Begun {
  log.error('unknown means refuse', { what, error: String(error) });
  const detail = `${what} is in an unknown state: ${error instanceof Error ? error.name : 'error'}`;
  return { kind: 'refused', problem: problem('control-plane-unknown', detail), ...(experiment ? { experiment } : {}) };
}
