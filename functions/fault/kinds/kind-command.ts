import type { FaultParameters } from '../../experiment/experiment.ts';
import type { FaultKind } from '../../experiment/faults.ts';
import type { ResolvedFault } from '../../experiment/workflow.ts';

/** What one kind adds to the common parameters of its document, and its undo in words. */
export type KindCommand<K extends FaultKind> = (
  parameters: Extract<FaultParameters, { kind: K }>,
  fault: ResolvedFault,
) => { parameters: Record<string, string>; undo: string[] };
