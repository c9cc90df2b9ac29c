import { type ExperimentDocument, isRolledBack } from '../../cli/api-documents.ts';
import type { RunEnd } from '../../cli/run-experiment.ts';

/** Of `lab run`, which is told from a test: the experiment as a whole succeeded, or not. */
export const EXIT = { succeeded: 0, failed: 1, refused: 2, interrupted: 130 } as const;

/** @param interrupted by the user, whatever came of it */
export function exitCodeOf(end: RunEnd, interrupted: boolean): number {
  if (end.kind === 'refused' || end.kind === 'ran before') return EXIT.refused;
  if (end.kind === 'lost') return EXIT.failed;
  if (end.kind !== 'ended' || interrupted) return EXIT.interrupted;
  return succeeded(end.document) ? EXIT.succeeded : EXIT.failed;
}

/** COMPLETED and CONFIRMED are the control plane's words; the evidence behind them is asked for as well. */
export function succeeded(document: ExperimentDocument): boolean {
  const nodes = document.nodes ?? [];
  const happened = new Set(document.timeline.map((entry) => entry.type));
  return (
    document.status === 'COMPLETED' &&
    document.outcome === 'CONFIRMED' &&
    happened.has('ROLLED_BACK') &&
    happened.has('RECOVERY_VERIFIED') &&
    nodes.length > 0 &&
    nodes.every((node) => isRolledBack(node) && node.outcome === 'REVERTED' && node.leftovers.length === 0)
  );
}
