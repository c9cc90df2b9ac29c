import type { TimedOperation } from '../domain/open-loop.ts';
import type { FailoverNews } from '../domain/recovery-phases.ts';
import type { Operation } from '../domain/rto.ts';
import type { ProbeMeasurement } from '../domain/workflow.ts';
import type { WriteAccount } from '../engines/engine.ts';
import type { AcknowledgedWrite } from './loss-checker.ts';

/** What a client of one shard has seen so far. Times are monotonic, in milliseconds. */
export interface Observed {
  /** Each a write and the read behind it. */
  operations: Operation[];
  /** The start of each operation by both clocks: a machine that is paused may stop one of them, and never both. */
  starts: { monotonicMs: number; epochMs: number }[];
  writes: TimedOperation[];
  reads: TimedOperation[];
  /** Each under way until its record was consumed. */
  consumes: TimedOperation[];
  /** By key. */
  acknowledged: Map<string, AcknowledgedWrite>;
  keys: string[];
  /** Reads of an acknowledged write that gave something else. */
  staleReads: number;
  promotion?: NonNullable<ProbeMeasurement['promotion']>;
  news: (FailoverNews & { atMs: number })[];
  /** The store's health in seconds since the epoch, one look in each at most. */
  health: { second: number; atMs: number; values: Record<string, number> }[];
  /** When the impacted nodes were seen to have an acknowledged write; absent: never. */
  provenAtMs?: number;
  lostAcknowledgedWrites?: number;
  /** From the acknowledgement of the first lost write to that of the last, where the probe leaves it to us to count; absent when none is. */
  lossSpanSeconds?: number;
  /** Of a store whose probe accounts for itself. */
  account?: WriteAccount;
  problems: string[];
}

export function nothingObserved(): Observed {
  return {
    ...{
      operations: [],
      starts: [],
      writes: [],
      reads: [],
      consumes: [],
      acknowledged: new Map(),
      keys: [],
      staleReads: 0,
    },
    ...{ news: [], health: [], problems: [] },
  };
}
