import type { AuditEntry } from './audit-entry.ts';
import type { KillSwitch } from './kill-switch.ts';
import { RECORD_DEADLINE_MS } from './timing.ts';

/** Whether whoever engages a switch still has time to put it on record himself. By hand nobody does. */
export function mayStillBeRecorded({ engagement }: KillSwitch, nowEpochMs: number): boolean {
  return nowEpochMs - Date.parse(engagement?.at ?? '') < RECORD_DEADLINE_MS;
}

/**
 * Whether the log says that the switch was engaged, and after it was re-armed last. An entry from long before the switch was
 * engaged is about another time: somebody re-armed and engaged it past the log.
 * @param latest of the log of that switch, newest first
 */
export function isOnRecord({ engagement }: KillSwitch, latest: readonly Pick<AuditEntry, 'type' | 'at'>[]): boolean {
  const last = latest.find(({ type }) => type === 'KILL_SWITCH_ENGAGING' || type === 'KILL_SWITCH_RE_ARMING');
  if (last?.type !== 'KILL_SWITCH_ENGAGING') return false;
  return !(Date.parse(last.at) < Date.parse(engagement?.at ?? '') - RECORD_DEADLINE_MS);
}
