import type { RunDocument } from './run-document.ts';

/** How many runs had which outcome; one that was not completed is counted under its status. */
export function outcomesOf(runs: readonly Pick<RunDocument, 'status' | 'outcome'>[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { status, outcome } of runs) {
    const name = status === 'COMPLETED' ? (outcome ?? status) : status;
    found[name] = (found[name] ?? 0) + 1;
  }
  return found;
}

/** `CONFIRMED 58, DEVIATED 1`. */
export function outcomesText(outcomes: Readonly<Record<string, number>>): string {
  const counted = Object.entries(outcomes).map(([outcome, times]) => `${outcome} ${times}`);
  return counted.join(', ') || 'none';
}
