import { ALLOWED, isExperimentId } from '../../functions/domain/contract.ts';
import { UsageError } from '../exit-codes.ts';

/** `<experimentId>-<number>`, the number from 1. @throws UsageError when no experiment can have it */
export function runId(experimentId: string, number: number): string {
  const id = `${experimentId}-${number}`;
  if (isExperimentId(id)) return id;
  throw new UsageError(
    `experimentId: a run would be named ${id}, which is no valid id (allowed: ${ALLOWED.experimentId})`,
  );
}

/**
 * The number after the last run that the API knows; 1 when it knows none.
 * @throws UsageError when one of the `runs` to come would have no valid id
 */
export async function firstNumber(
  experimentId: string,
  runs: number,
  isKnown: (id: string) => Promise<boolean>,
): Promise<number> {
  runId(experimentId, runs);
  let number = 1;
  while (await isKnown(runId(experimentId, number))) number += 1;
  runId(experimentId, number + runs - 1);
  return number;
}
