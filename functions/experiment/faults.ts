/**
 * The fault kinds this version can inject. One name everywhere: the API's value, the file in `host/faults`, the SSM
 * document, the test. A new kind is one more row here and one more file in each of those places.
 */
export const FAULT_KINDS = ['NETWORK_PARTITION', 'PROCESS_KILL', 'PROCESS_PAUSE'] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** `NETWORK_PARTITION` → `network-partition`: the name of the kind's host script and SSM document. */
export function scriptName(kind: FaultKind): string {
  return kind.toLowerCase().replaceAll('_', '-');
}

/** What a node of the seed's status document is called while the fault holds. */
export const FAULT_STATES: Record<FaultKind, string> = {
  NETWORK_PARTITION: 'ISOLATED',
  PROCESS_KILL: 'KILLED',
  PROCESS_PAUSE: 'PAUSED',
};
