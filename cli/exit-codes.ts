import type { ExperimentOutcome, ExperimentStatus } from '../functions/domain/experiment.ts';

/** Every exit code of the command, and when it is given: `--help` and docs/command.md are made from this table. */
const TABLE = {
  confirmed: [0, 'confirmed; for a command that runs no experiment: done'],
  deviated: [1, 'deviated; for verify: the log is broken, or the API and this command disagree on it'],
  refused: [2, 'refused by the API, also: no such experiment, or an id that ran before'],
  aborted: [3, 'aborted, before or after it began; what was measured until then does not matter'],
  rollbackFailed: [4, 'rollback failed: somebody must look at the hosts'],
  inconclusive: [5, 'inconclusive, or nobody here knows how it ended: connection lost, or you left'],
  usage: [64, 'wrong usage, or a file that is no valid experiment; nothing was sent'],
  unavailable: [69, 'the API could not be asked, or did not answer as it should'],
  internal: [70, 'an error in this command'],
  notOver: [
    75,
    'not over yet, nothing is wrong: status, verify, and run --no-watch and schedule run once the fault is in place',
  ],
  pendingApproval: [76, 'waits for the approval of another person; nothing was started'],
  notPermitted: [77, 'no credentials, or they do not permit it'],
} as const;

type ExitName = keyof typeof TABLE;
export const EXIT = Object.fromEntries(Object.entries(TABLE).map(([name, [code]]) => [name, code])) as {
  [N in ExitName]: (typeof TABLE)[N][0];
};
export const EXIT_CODES: readonly (readonly [number, string])[] = Object.values(TABLE);

/** Of an experiment that is over. An abort wins over what was measured: it says why there is no full measurement. */
export function exitCodeOf(status: ExperimentStatus, outcome: ExperimentOutcome | null | undefined): number {
  if (status === 'ROLLBACK_FAILED') return EXIT.rollbackFailed;
  if (status === 'ABORTED') return EXIT.aborted;
  if (status === 'REFUSED') return EXIT.refused;
  if (status !== 'COMPLETED') return EXIT.inconclusive;
  return { CONFIRMED: EXIT.confirmed, DEVIATED: EXIT.deviated, INCONCLUSIVE: EXIT.inconclusive }[
    outcome ?? 'INCONCLUSIVE'
  ];
}

/** Ends the command with that exit code; the message is all that a user sees of it. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, text: string, cause?: unknown) {
    super(text, { cause });
    this.exitCode = exitCode;
  }
}

/** The command was called wrongly, or with a file that is no experiment: nothing was sent. */
export class UsageError extends CommandError {
  constructor(text: string) {
    super(EXIT.usage, text);
  }
}

export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
