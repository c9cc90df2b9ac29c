import { type Problem, problem } from '../domain/problem.ts';
import {
  FIS_INJECTION_DEADLINE_MS,
  FIS_ROLLBACK_DEADLINE_MS,
  FUNCTION_SECONDS,
  HOST_ROLLBACK_DEADLINE_MS,
  INJECTION_DEADLINE_MS,
  PROBE_LAST_ACT_MS,
} from '../domain/timing.ts';

/** From the start of the probe on, which comes before the injection. */
const OBSERVES_SECONDS = FUNCTION_SECONDS.probe - PROBE_LAST_ACT_MS / 1000;

/**
 * One invocation measures a whole run, and a Lambda lives 900 s. A run that may take longer would have no verdict, so it
 * does not begin: handing over to a second invocation would leave a gap just where the fault ends.
 *
 * @param hasFisFaults FIS takes longer to begin and to end a fault than a host
 */
export function refuseLongerThanProbe(
  durationSeconds: number,
  recoverySeconds: number,
  hasFisFaults: boolean,
): Problem | undefined {
  const injectSeconds = (hasFisFaults ? FIS_INJECTION_DEADLINE_MS : INJECTION_DEADLINE_MS) / 1000;
  const rollBackSeconds = (hasFisFaults ? FIS_ROLLBACK_DEADLINE_MS : HOST_ROLLBACK_DEADLINE_MS) / 1000;
  const maximum = OBSERVES_SECONDS - injectSeconds - rollBackSeconds - recoverySeconds;
  if (durationSeconds <= maximum) return undefined;
  const allowed =
    maximum >= 1
      ? `a whole number from 1 to ${maximum}`
      : `none while the cluster's budgets.recoverySeconds is ${recoverySeconds}`;
  const detail =
    `not started: the probe can look for ${OBSERVES_SECONDS} s, and the run may take ${injectSeconds} s to inject, ` +
    `${durationSeconds} s of fault, ${rollBackSeconds} s to roll back and ${recoverySeconds} s to recover`;
  const errors = [{ field: 'durationSeconds', message: 'is longer than the probe can measure', allowed }];
  return problem('fault-not-allowed', detail, { errors });
}
