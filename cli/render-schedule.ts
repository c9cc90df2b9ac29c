import type { ShownSchedule } from './api-documents.ts';
import { printable } from './render.ts';

export const SCHEDULE_COLUMNS = ['schedule', 'state', 'when', 'next', 'last', 'result'];

/** A row below `SCHEDULE_COLUMNS`. */
export function renderSchedule({
  schedule,
  state,
  expression,
  timeZone,
  nextAt,
  lastRun,
  reason,
}: ShownSchedule): string[] {
  const cells = [
    schedule,
    state,
    `${expression} ${timeZone}`,
    nextAt ?? '-',
    lastRun?.scheduledAt ?? '-',
    lastRun ? resultOf(lastRun) : (reason ?? '-'),
  ];
  return cells.map(printable);
}

function resultOf({
  result,
  status,
  outcome,
  experimentId,
  problem,
  reason,
}: NonNullable<ShownSchedule['lastRun']>): string {
  if (status === 'UNKNOWN') return `${experimentId} UNKNOWN: ${reason ?? 'no reason is given'}`;
  if (result !== 'STARTED' && result !== 'PENDING_APPROVAL')
    return `${result}: ${problem?.detail ?? 'no reason is on record'}`;
  return `${experimentId} ${status ?? result}${outcome ? ` ${outcome}` : ''}`;
}
