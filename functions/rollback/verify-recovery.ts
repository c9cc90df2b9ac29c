import type { AuditLog } from '../audit/audit-log.ts';
import type { RecoveryResult, RollbackResult } from '../experiment/workflow.ts';
import type { Clock } from '../shared/clock.ts';
import { type StoreTopology, topologyProblems } from '../target/store.ts';

const POLL_INTERVAL_MS = 1000;

export interface RecoveryDependencies {
  readTopology: () => Promise<StoreTopology>;
  audit: Pick<AuditLog, 'append'>;
  clock: Clock;
}

/**
 * A clean host is not a healthy store: waits until every shard is healthy and every impacted node has its place in one
 * again. Not recovering is an outcome, not an error.
 *
 * @param recoverySeconds how long the store may take
 */
export async function verifyRecovery(
  experimentId: string,
  rollback: RollbackResult | undefined,
  recoverySeconds: number,
  { readTopology, audit, clock }: RecoveryDependencies,
): Promise<RecoveryResult> {
  const impacted = [...new Set((rollback?.nodes ?? []).map((node) => node.node))];
  // Nothing was injected: there is nothing to wait for, one look says how the store is.
  const deadlineMs = clock.monotonicMs() + (impacted.length === 0 ? 0 : recoverySeconds * 1000);
  let problems: string[];
  for (;;) {
    problems = await problemsNow(readTopology, impacted);
    if (problems.length === 0 || clock.monotonicMs() >= deadlineMs) break;
    await clock.sleep(POLL_INTERVAL_MS);
  }
  const outcome = problems.length === 0 ? 'RECOVERED' : 'NOT_RECOVERED';
  const result: RecoveryResult = { outcome, verifiedAt: new Date(clock.nowEpochMs()).toISOString(), problems };
  const type = outcome === 'RECOVERED' ? 'RECOVERY_VERIFIED' : 'RECOVERY_FAILED';
  await audit.append(experimentId, type, { function: 'verify-recovery' }, { ...result, impacted });
  return result;
}

async function problemsNow(
  readTopology: RecoveryDependencies['readTopology'],
  impacted: readonly string[],
): Promise<string[]> {
  try {
    const topology = await readTopology();
    const placed = new Set(topology.shards.flatMap((shard) => [shard.master, ...shard.replicas]));
    const lost = impacted.filter((node) => !placed.has(node)).map((node) => `${node}: is in no shard`);
    return [...topologyProblems(topology), ...lost];
  } catch (error) {
    return [`store: ${error instanceof Error ? error.message : String(error)}`];
  }
}
