import { type AuditEntry, announcedFaults, type GuardReport, lastOf } from './audit-entry.ts';
import { sha256 } from './digest.ts';
import { evidenceOf, type ShardEvidence } from './evidence.ts';
import type { Fault } from './experiment.ts';
import { shardsHitBy } from './probed-shards.ts';
import { rollbackOf, stateOf } from './status.ts';
import { endedUnseen } from './verdict.ts';

/** A row of the mission's `chaos_experiment_logs`: its columns, its names. `null` means not measured. */
export interface RecordRow {
  id: string;
  experiment_id: string;
  target_cluster: string;
  fault_type: string;
  injected_at: string;
  rolled_back_at: string | null;
  was_auto_rolled_back: boolean;
  baseline_latency_ms: number | null;
  peak_latency_ms: number | null;
  recovery_time_seconds: number | null;
  data_loss_detected: boolean | null;
}

/**
 * One row for each fault that was, or may have been, applied: one that was announced without a report counts from its
 * announcement. What clients saw is the worst of the fault's own shards.
 */
export function recordsOf(experimentId: string, entries: readonly AuditEntry[]): RecordRow[] {
  const { experiment, targets } = stateOf(entries);
  if (!experiment) return [];
  const announced = announcedFaults(entries);
  const baselines = lastOf(entries, 'STEADY_STATE_CONFIRMED')?.baselines;
  const guard = lastOf(entries, 'GUARD_STOPPED');
  const evidence = evidenceOf(entries);
  return experiment.faults
    .filter(({ faultId }) => announced.has(faultId))
    .map((fault) => {
      const shards = shardsHitBy(fault, targets);
      const own = evidence.filter(({ cluster, shard }) => cluster === fault.cluster && shards.includes(shard));
      return {
        id: recordId(experimentId, fault.faultId),
        experiment_id: experimentId,
        target_cluster: fault.cluster,
        fault_type: fault.kind,
        injected_at: injectedAtOf(fault, entries),
        rolled_back_at: rollbackOf(entries)?.rolledBackAt ?? null,
        was_auto_rolled_back: wasAutoRolledBack(entries, guard),
        baseline_latency_ms: hundredths(baselines?.[fault.cluster]?.p99LatencyMs),
        peak_latency_ms: hundredths(guard?.peakP99LatencyMs[fault.cluster]),
        recovery_time_seconds: hundredths(longestRtoSeconds(own)),
        data_loss_detected: lossDetected(own),
      };
    });
}

/** Undefined unless it was measured on every shard: one that was not may have taken longer. */
function longestRtoSeconds(shards: readonly ShardEvidence[]): number | undefined {
  const measured = shards.flatMap(({ rtoSeconds = [] }) => rtoSeconds);
  return measured.length > 0 && measured.length === shards.length ? Math.max(...measured) : undefined;
}

/** A loss on one shard is a loss; none is claimed unless every shard was read back. */
function lossDetected(shards: readonly ShardEvidence[]): boolean | null {
  const lost = shards.map(({ lostAcknowledgedWrites }) => lostAcknowledgedWrites);
  if (lost.some((writes = 0) => writes > 0)) return true;
  return lost.length === 0 || lost.includes(undefined) ? null : false;
}

/** When the fault was confirmed, in its own batch; its announcement when nobody confirmed it. */
function injectedAtOf({ faultId }: Fault, entries: readonly AuditEntry[]): string {
  const batch = entries.find((entry) => entry.type === 'INJECTED' && entry.details.injectedFaults.includes(faultId));
  if (batch?.type === 'INJECTED') return batch.details.confirmedAt;
  return entries.find((entry) => announcedFaults([entry]).has(faultId))?.at ?? '';
}

/** Ended by a machine before its time: guard, alarm, sweep or the host itself; not by its TTL nor by a person. */
function wasAutoRolledBack(entries: readonly AuditEntry[], guard: GuardReport | undefined): boolean {
  const applied = entries.some(({ type }) => type === 'INJECTED');
  if (applied && endedUnseen(entries).length > 0) return true;
  const reason = guard?.reason ?? lastOf(entries, 'ABORT_REQUESTED')?.reason;
  return reason === undefined || ['GUARDRAIL', 'ALARM', 'EFFECT_LOST', 'SWEEP', 'ROLLBACK'].includes(reason);
}

/** Name-based UUID (RFC 9562, version 8): concluding twice writes the same row twice, not two rows. */
export function recordId(experimentId: string, faultId: string): string {
  const bytes = sha256(`chaos_experiment_logs\n${experimentId}\n${faultId}`).subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The columns are NUMERIC with two decimals. */
function hundredths(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Math.round(value * 100) / 100;
}
