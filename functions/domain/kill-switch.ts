import * as z from 'zod';
import { KILL_SWITCH_ID } from './names.ts';

/** The kill switch of all clusters, and one of each: rows of the lease table, and what the configuration says of them. */
export const killSwitchSchema = z
  .strictObject({
    /**
     * Engages FIS's safety lever too, which ends every FIS experiment of the account and Region and keeps all others from
     * starting, whoever they belong to.
     */
    fisSafetyLever: z.boolean().default(false),
    /** Principals (ARNs, may end in `*`) that may re-arm. Absent: all of `apiPrincipals`. */
    reArmPrincipals: z.array(z.string().startsWith('arn:')).min(1).optional(),
    /**
     * While an experiment runs, the guard also reads the guardrails of the clusters that no experiment touches, and
     * engages the switch of all when they break. Absent, the default: it does not, because an incident that has nothing to
     * do with an experiment would end all of them.
     */
    cascade: z
      .strictObject({
        /** How many of those clusters have to break. */
        clusters: z.int().min(1).max(100).default(1),
        /** For how long a guardrail must be beyond its limit. Seconds. */
        forSeconds: z.int().min(1).max(60).default(5),
      })
      .optional(),
  })
  .prefault({});
export type KillSwitchSettings = z.output<typeof killSwitchSchema>;

const CLUSTER_PREFIX = 'CLUSTER#';
/** The rows of the clusters' switches, for IAM. No experiment id has a `#`. */
export const CLUSTER_SWITCH_IDS = `${CLUSTER_PREFIX}*`;

/** Key of the row of a switch: of this cluster's, or of the one of all. */
export function switchIdOf(cluster?: string): string {
  return cluster === undefined ? KILL_SWITCH_ID : `${CLUSTER_PREFIX}${cluster}`;
}

/** Attributes that each turn of a switch may name, for IAM: with these nothing of an experiment's lease can be written. */
export const SWITCH_ATTRIBUTES = {
  engage: ['leaseId', 'state', 'engagedBy', 'engagedAt', 'engageReason'],
  reArm: [
    ...['leaseId', 'state', 'engagedBy', 'engagedAt', 'engageReason'],
    ...['reArmedBy', 'reArmedAt', 'reArmReason'],
  ],
};

/** Under which the audit log keeps what was done to a switch. */
export function switchLogIdOf(cluster?: string): string {
  return `KILL_SWITCH#${switchIdOf(cluster)}`;
}

/** Who turned a switch last, when, and why. Absent fields: nobody said, as by hand. */
export interface SwitchTurn {
  by?: string;
  /** ISO 8601. */
  at?: string;
  reason?: string;
}

/** One switch as its row has it. Anything but `HOLD` is engaged, and so is a row that is missing. */
export interface KillSwitch {
  /** Absent: that of all clusters. */
  cluster?: string;
  engaged: boolean;
  /** How it came to be engaged; absent while it is not. */
  engagement?: SwitchTurn;
  /** The last time it was re-armed through the API. */
  lastReArmed?: SwitchTurn;
}

/** For a person. */
export function describeEngaged({ cluster, engagement = {} }: KillSwitch): string {
  const { by, at, reason } = engagement;
  const what = cluster === undefined ? 'the kill switch' : `the kill switch of ${cluster}`;
  if (by === undefined && reason === undefined) return `${what} is engaged, past the API: nobody said why`;
  return `${what} is engaged, by ${by ?? 'somebody'}${at === undefined ? '' : ` at ${at}`}: ${reason ?? 'no reason given'}`;
}

/**
 * The first of these switches that is engaged, or that was engaged and re-armed between two reads, which no clock is asked
 * for: then what was seen of it meanwhile does not hold any more.
 */
export function turnedSince(before: readonly KillSwitch[], now: readonly KillSwitch[]): KillSwitch | undefined {
  const reArmedAt = new Map(before.map(({ cluster, lastReArmed }) => [cluster, lastReArmed?.at]));
  return now.find(({ cluster, engaged, lastReArmed }) => engaged || lastReArmed?.at !== reArmedAt.get(cluster));
}

export const MAX_SWITCH_REASON_CHARACTERS = 500;
/** Of whoever turns a switch: one line a person can read. */
export const switchReason = z
  .string()
  .regex(new RegExp(`^(?=.*\\S)[^\\p{Cc}]{1,${MAX_SWITCH_REASON_CHARACTERS}}$`, 'u'), 'is no reason');
export const SWITCH_REASON_ALLOWED = `1-${MAX_SWITCH_REASON_CHARACTERS} characters on one line, not all of them spaces`;

/** What is done when a switch is engaged, in this order; each is tried whatever became of the others. */
export const ENGAGE_STEPS = ['SWITCH', 'LEASES', 'SAFETY_LEVER', 'HOSTS'] as const;
export interface EngageStep {
  step: (typeof ENGAGE_STEPS)[number];
  outcome: 'DONE' | 'FAILED' | 'NOT_NEEDED';
  /** For a person. */
  detail: string;
}
