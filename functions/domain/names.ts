/** Names that two parts must agree on: functions and stack, product and lab, TypeScript and the host program. */

/** The lease row that frees every host when it is not `HOLD`; no experiment may have this id. */
export const KILL_SWITCH_ID = 'GLOBAL';

/** Environment variables by which the stack tells a function where its resources are. */
export const ENVIRONMENT = {
  admitFunction: 'HOLDFAST_ADMIT_FUNCTION',
  alertTopic: 'HOLDFAST_ALERT_TOPIC',
  auditBucket: 'HOLDFAST_AUDIT_BUCKET',
  auditTable: 'HOLDFAST_AUDIT_TABLE',
  documentPrefix: 'HOLDFAST_DOCUMENT_PREFIX',
  eventBus: 'HOLDFAST_EVENT_BUS',
  experimentTable: 'HOLDFAST_EXPERIMENT_TABLE',
  fisRoleArn: 'HOLDFAST_FIS_ROLE_ARN',
  heartbeatAlarmPrefix: 'HOLDFAST_HEARTBEAT_ALARM_PREFIX',
  /** Also in the environment of the host program. */
  leaseTable: 'HOLDFAST_LEASE_TABLE',
  lockTable: 'HOLDFAST_LOCK_TABLE',
  recordTable: 'HOLDFAST_RECORD_TABLE',
  scheduleFunction: 'HOLDFAST_SCHEDULE_FUNCTION',
  stackName: 'HOLDFAST_STACK_NAME',
  startFunction: 'HOLDFAST_START_FUNCTION',
  stateMachineArn: 'HOLDFAST_STATE_MACHINE_ARN',
  /** In the environment of the host program alone: what the names of AWS's endpoints end with in this partition. */
  urlSuffix: 'HOLDFAST_URL_SUFFIX',
} as const;

/** Environment variable with the ARN of the topic of that severity. */
export function topicVariable(severity: string): string {
  return `HOLDFAST_TOPIC_${severity}`;
}

/** The document that reverts a fault of any kind. */
export const ROLL_BACK_DOCUMENT = 'roll-back';

/** Of the table of reservations: seconds since the epoch after which DynamoDB removes a row that has it. */
export const EXPIRY_ATTRIBUTE = 'expiresAt';

/**
 * Executions that only roll back, at most one a minute for each experiment. No experiment may have such an id: its own
 * execution would keep the other's rollback from being started.
 */
export function rollbackExecutionName(experimentId: string, nowEpochMs: number): string {
  return `${experimentId}-sweep-${Math.floor(nowEpochMs / 60_000)}`;
}
export const ROLLBACK_EXECUTION_NAME = /-sweep-\d+$/;

/** Index of the record table on `target_cluster` + `fault_type`: the mission's. */
export const RECORD_INDEX = 'idx_chaos_experiments';

/** Index of the audit table on `type` + `at`, with the keys alone. */
export const AUDIT_INDEX = 'by_type';

/** How far what walks through the log has come; a row in the table of reservations that no experiment can have. */
export type CursorName = 'verified' | 'exported';
export function cursorKey(name: CursorName): string {
  return `CURSOR#${name}`;
}

/** Whose turn it is to ask for that time of a schedule; such a row too. */
export function scheduleTurnKey(schedule: string, scheduledAt: string): string {
  return `SCHEDULE#${schedule}#${scheduledAt}`;
}

/** Put by the verification of the log, watched by alarms of the stack; the dimension `stack` is its name. */
export const BROKEN_AUDIT_LOGS = { namespace: 'Holdfast/Audit', metricName: 'BrokenAuditLogs' } as const;

/** Source of the events that follow each entry of the audit log. */
export const EVENT_SOURCE = 'holdfast';

export function eventDetailType(entryType: string): string {
  return `Experiment ${entryType}`;
}

/**
 * Tags of everything made in FIS. By these the rollback finds what was made, even when the answer that named it was
 * lost. The stack's name is one of them: two deployments of one account and Region must not end each other's
 * experiments.
 */
export const STACK_TAG = 'holdfast-stack';
export const EXPERIMENT_TAG = 'holdfast-experiment';
export const FAULT_TAG = 'holdfast-fault';

/**
 * The metric by which AWS knows that the guard watches: FIS does not read the lease, so its experiments stop on an alarm
 * over this. Put by the guard, watched by an alarm of the stack.
 */
export const GUARD_HEARTBEAT = { namespace: 'Holdfast', metricName: 'GuardHeartbeat' } as const;

/** Of one cluster of one deployment: another stack's guard must not speak for ours. */
export function heartbeatDimensions(stackName: string, cluster: string): Record<string, string> {
  return { stack: stackName, cluster };
}
