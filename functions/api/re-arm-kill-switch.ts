import type { SafetyLever } from '../aws/fis/safety-lever.ts';
import type { Clock } from '../domain/clock.ts';
import type { Caller } from '../domain/experiment.ts';
import { switchLogIdOf } from '../domain/kill-switch.ts';
import { isPrincipal } from '../domain/principals.ts';
import { problem } from '../domain/problem.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { KillSwitches } from '../tables/kill-switches.ts';
import type { Locks } from '../tables/locks.ts';
import { type Answer, refusal } from './answer.ts';

export interface ReArmDependencies {
  /** Who may, as ARNs or patterns; absent: whoever may call. The API's policy says the same before. */
  principals?: readonly string[] | undefined;
  switches: Pick<KillSwitches, 'reArm'>;
  locks: Pick<Locks, 'list'>;
  audit: Pick<AuditLog, 'append'>;
  /** Absent: the configuration does not let us. */
  lever?: Pick<SafetyLever, 'disengage'> | undefined;
  clock: Clock;
}

export interface ReArmRequest {
  /** Absent: that of all. */
  cluster?: string | undefined;
  reason: string;
  caller: Caller;
}

/**
 * `DELETE …/kill-switch`: lets experiments start again. Refused while an experiment holds a cluster it is for, one that is
 * not over or whose rollback failed; and, as nothing is urgent here, when that or the record of it is not certain.
 */
export async function reArmKillSwitch(request: ReArmRequest, dependencies: ReArmDependencies): Promise<Answer> {
  const { cluster, reason, caller } = request;
  const { principals, switches, locks, audit, lever, clock } = dependencies;
  if (principals && !principals.some((pattern) => isPrincipal(caller.arn, pattern))) {
    return refusal(problem('not-permitted', `not re-armed: ${caller.arn} is not among killSwitch.reArmPrincipals`));
  }
  const turn = { ...(cluster === undefined ? {} : { cluster }), reason };
  let reArmed: boolean;
  try {
    const held = (await withDeadline(locks.list(), clock)).filter(
      (lock) => cluster === undefined || lock.cluster === cluster,
    );
    if (held.length > 0) {
      const said = held.map((lock) => `${lock.experimentId} holds ${lock.cluster}`).join(', ');
      const heldBy = held.map(({ experimentId }) => experimentId);
      return refusal(problem('kill-switch-in-use', `not re-armed: ${said}`, { heldBy }));
    }
    await withDeadline(audit.append(switchLogIdOf(cluster), 'KILL_SWITCH_RE_ARMING', caller, turn), clock);
    reArmed = await switches.reArm(cluster, { by: caller.arn, reason });
  } catch (error) {
    const detail = `it is not known whether the kill switch was re-armed: ${String(error)}`;
    return refusal(problem('control-plane-unknown', detail));
  }
  const safetyLever = cluster === undefined && lever ? await disengage(lever, reason) : undefined;
  return {
    status: 200,
    body: { engaged: false, ...turn, alreadyArmed: !reArmed, ...(safetyLever ? { safetyLever } : {}) },
  };
}

/** What became of FIS's safety lever, for a person. */
async function disengage(lever: Pick<SafetyLever, 'disengage'>, reason: string): Promise<string> {
  try {
    return (await lever.disengage(reason)) ? 'disengaged' : 'left as it is: it is not engaged, or not by this stack';
  } catch (error) {
    log.error('safety lever not disengaged', { error: String(error) });
    return `not disengaged, FIS starts nothing: ${error instanceof Error ? error.message : String(error)}`;
  }
}
