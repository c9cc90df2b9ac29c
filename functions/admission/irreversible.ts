import type { Experiment } from '../domain/experiment.ts';
import { type FaultKind, kindOf } from '../domain/faults/catalogue.ts';

/** An effect that stays, in words. */
export interface Irreversible {
  faultId: string;
  kind: FaultKind;
  text: string;
}

/** What no rollback takes back of these faults; for the dry run, the ADMITTED entry and the report. */
export function irreversibleOf({ faults }: Pick<Experiment, 'faults'>): Irreversible[] {
  return faults.flatMap(({ faultId, kind }) => {
    const text = kindOf(kind).irreversible;
    return text === undefined ? [] : [{ faultId, kind, text }];
  });
}
