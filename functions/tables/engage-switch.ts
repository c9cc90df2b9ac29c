import type { Actor } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { switchLogIdOf } from '../domain/kill-switch.ts';
import { KILL_SWITCH_RECORD_MS } from '../domain/timing.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from './audit-log.ts';
import type { KillSwitches } from './kill-switches.ts';

export interface EngageSwitchDependencies {
  switches: Pick<KillSwitches, 'engage'>;
  audit: Pick<AuditLog, 'beginAppend'>;
  clock: Clock;
}

/**
 * Records, then engages: but the record is waited for 0.1 s and no longer, whatever becomes of it, and the event that tells
 * of it not at all, because hosts wait for the switch.
 * @returns `engaged` false when it was engaged already; `recorded` resolves when the record is there and told, and rejects
 * with what keeps it from being there
 * @throws the lease store's error: then nobody knows whether it is engaged
 */
export async function engageSwitch(
  turn: { cluster?: string | undefined; reason: string; by: string; actor: Actor },
  { switches, audit, clock }: EngageSwitchDependencies,
): Promise<{ engaged: boolean; recorded: Promise<unknown> }> {
  const { cluster, reason, by, actor } = turn;
  const details = { ...(cluster === undefined ? {} : { cluster }), reason };
  const { written, done } = audit.beginAppend(switchLogIdOf(cluster), 'KILL_SWITCH_ENGAGING', actor, details);
  // Whoever waits for it hears of it; when the switch cannot be engaged, nobody does.
  done.catch(() => {});
  try {
    await withDeadline(written, clock, KILL_SWITCH_RECORD_MS);
  } catch (error) {
    log.error('kill switch: engaged before it is on record', { ...details, by, error: String(error) });
  }
  return { engaged: await switches.engage(cluster, { by, reason }), recorded: done };
}
