import type { RequestedFault } from './experiment.ts';
import { isFisFaultKind } from './faults/catalogue.ts';
import { FIS_INJECT_DEADLINE_MS, HOST_INJECT_DEADLINE_MS, STEPS_BEFORE_INJECTION_SECONDS } from './timing.ts';

/** When something that allows an experiment ends. No fault may live longer: nobody would be there any more. */
export interface Closing {
  /** ISO 8601. */
  at: string;
  /** What ends then, for a person. */
  what: string;
}

export function earliest(closings: readonly Closing[]): Closing | undefined {
  return closings.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))[0];
}

/** From the order to inject these until their TTL has begun on every host, or never will. */
export function injectionMs(faults: readonly Pick<RequestedFault, 'kind'>[]): number {
  return faults.some(({ kind }) => isFisFaultKind(kind)) ? FIS_INJECT_DEADLINE_MS : HOST_INJECT_DEADLINE_MS;
}

/** From a start until the TTL of these faults has begun. */
export function beginsWithinSeconds(faults: readonly Pick<RequestedFault, 'kind'>[]): number {
  return STEPS_BEFORE_INJECTION_SECONDS + injectionMs(faults) / 1000;
}
