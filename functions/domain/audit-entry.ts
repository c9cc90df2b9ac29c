import type { Caller } from './experiment.ts';

/** What an audit entry can say. Each is written before the act it announces, or at once after what it reports. */
export const ENTRY_TYPES = [
  'REFUSED',
  'ADMITTED',
  'STEADY_STATE_CONFIRMED',
  'TARGETS_RESOLVED',
  'PROBE_READY',
  'INJECTING',
  'INJECTED',
  'INJECTION_SKIPPED',
  'INJECTION_FAILED',
  'GUARD_STOPPED',
  'ABORT_REQUESTED',
  'PROMOTION_OBSERVED',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'ROLLBACK_FAILED',
  'RECOVERY_VERIFIED',
  'RECOVERY_FAILED',
  'PROBE_MEASURED',
  'CONCLUDED',
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** Who acted: the person of the signed request, or one of our own functions. */
export type Actor = Caller | { function: string };

/**
 * One row of the append-only log. `hash` = SHA-256 (hex) over `previousHash` and the canonical JSON of the other
 * fields; the first entry of an experiment has an empty `previousHash`.
 */
export interface AuditEntry {
  experimentId: string;
  /** 1, 2, 3 … without gaps, per experiment. */
  sequence: number;
  type: EntryType;
  /** ISO 8601, UTC, milliseconds. */
  at: string;
  actor: Actor;
  details: Record<string, unknown>;
  previousHash: string;
  hash: string;
}
