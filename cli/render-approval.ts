import type { ShownApproval } from './api-documents.ts';
import { type Paint, printable } from './render.ts';

/** Of an experiment that waits for another person: what is missing, and who cannot give it. */
export function renderPending(experimentId: string, approval: ShownApproval, paint: Paint): string[] {
  const until = approval.expiresAt == null ? '' : ` until ${printable(approval.expiresAt)}`;
  return [
    paint('bold', `${printable(experimentId)} waits for its approval${until}; nothing was started.`),
    `  not by ${printable(approval.mayNotApprove)}, who asked for it; somebody else looks at it and starts it with:`,
    `  holdfast approve ${printable(experimentId)}`,
    `  hash: ${printable(approval.hash)}`,
  ];
}
