/**
 * The metric by which AWS knows that the guard watches: FIS is out of the lease's reach, so its experiments stop on an
 * alarm over this. Shared by the guard that puts it, the stack that makes the alarm, and whoever says the bound.
 */
export const GUARD_HEARTBEAT = { namespace: 'Holdfast', metricName: 'GuardHeartbeat' } as const;

/** Of one cluster of one deployment: another stack's guard must not speak for ours. */
export function heartbeatDimensions(stackName: string, cluster: string): Record<string, string> {
  return { stack: stackName, cluster };
}

/** The guard puts one at most this often. Two in each period: one that is lost or late makes no alarm. */
export const HEARTBEAT_EVERY_SECONDS = 5;
/** CloudWatch's shortest. */
export const HEARTBEAT_PERIOD_SECONDS = 10;
/** Two, because a heartbeat that is still on its way leaves the newest period empty. */
export const HEARTBEAT_EMPTY_PERIODS = 2;
/** How often CloudWatch evaluates an alarm with such a period. */
const EVALUATED_EVERY_SECONDS = 10;

/**
 * Longest time from the last heartbeat to the alarm that stops the experiment: the rest of its own period, the empty
 * ones, and the wait for the next evaluation. It is about 30 s as a rule.
 */
export const HEARTBEAT_BOUND_SECONDS =
  HEARTBEAT_PERIOD_SECONDS * (1 + HEARTBEAT_EMPTY_PERIODS) + EVALUATED_EVERY_SECONDS;
