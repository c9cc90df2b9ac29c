import type { CommandResult, HostCommands } from '../aws/host-commands.ts';
import { type AnnouncedNode, announcedNodes, plansIn, resolvedNodes } from '../domain/announced-nodes.ts';
import type { Clock } from '../domain/clock.ts';
import type { FisFaults } from '../domain/fis-fault.ts';
import { remarksOf } from '../domain/host-report.ts';
import { MAX_ENTRY_BYTES } from '../domain/limits.ts';
import { FIS_ROLLBACK_DEADLINE_MS, HOST_ROLLBACK_DEADLINE_MS } from '../domain/timing.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import {
  type FisRollback,
  GOOD_FENCE_OUTCOMES,
  type NodeRollback,
  type ReleaseReason,
  type RollbackResult,
} from '../domain/workflow.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Leases } from '../tables/leases.ts';
import { boundedResult } from './bounded-result.ts';
import { lostRecord, type UnmarkedBoots, unmarkedBoots } from './lost-record.ts';
import type { PlannedFaults } from './planned-faults.ts';

const ACTOR = { function: 'roll-back' };
const RETRY_PAUSE_MS = 1000;

export interface RollBackDependencies {
  leases: Pick<Leases, 'release' | 'read'>;
  audit: Pick<AuditLog, 'append' | 'read'>;
  hosts: HostCommands;
  services: Pick<FisFaults, 'rollBack'>;
  clock: Clock;
  /** Full name of the roll-back document. */
  document: string;
}

export interface RollBackTask extends PlannedFaults {
  experimentId: string;
  /** Why this rollback; the lease keeps the first reason it was given. */
  reason: ReleaseReason;
  detail: string;
}

/**
 * The one rollback, whoever calls: release the lease (hosts revert within a poll), record, revert on every node that
 * was ever to be injected and stop what runs in FIS, side by side, prove. Idempotent, works from the id alone, and goes on without lease table or audit log.
 *
 * The log is read after the release: an injection that is recorded later finds no lease to be granted by.
 */
export async function rollBack(task: RollBackTask, dependencies: RollBackDependencies): Promise<RollbackResult> {
  const { experimentId, reason, detail, targets } = task;
  const { leases, audit, clock } = dependencies;
  const problems: string[] = [];
  const tolerate = async <T>(what: string, act: Promise<T>): Promise<T | undefined> => {
    try {
      return await withDeadline(act, clock);
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const startedMs = clock.monotonicMs();
  await tolerate('lease not released', leases.release(experimentId, reason, detail));
  const lease = await tolerate('lease not read', leases.read(experimentId));
  const why = { reason: lease?.releaseReason ?? reason, detail: lease?.releaseDetail ?? detail };
  await tolerate('ROLLING_BACK not written', audit.append(experimentId, 'ROLLING_BACK', ACTOR, why));

  const entries = await tolerate('audit log not read', audit.read(experimentId));
  const impacted = entries ? announcedNodes(entries, targets) : resolvedNodes(targets);
  const blind = entries === undefined && targets === undefined;
  if (blind) problems.push('which nodes were injected is not known: their own lease and TTL end the fault');

  const inFis = plansIn(entries ?? []).flatMap(({ services }) => services);
  const hasFisFaults = entries ? inFis.length > 0 : task.hasFisFaults;
  const deadlineMs = startedMs + (hasFisFaults ? FIS_ROLLBACK_DEADLINE_MS : HOST_ROLLBACK_DEADLINE_MS);
  const boots = unmarkedBoots(entries ?? []);
  const [nodes, services] = await Promise.all([
    Promise.all(impacted.map((node) => revertUntilClean(node, boots, task, dependencies, deadlineMs))),
    hasFisFaults
      ? dependencies.services.rollBack(
          experimentId,
          inFis.map(({ faultId }) => faultId),
          deadlineMs,
        )
      : [],
  ]);
  problems.push(...nodes.flatMap(fenceProblem));
  const failed = blind || [...nodes, ...services].some(({ outcome }) => outcome === 'FAILED');
  const lifted = rolledBackAt(nodes, services, clock);
  const result = (): RollbackResult => ({
    outcome: failed ? 'ROLLBACK_FAILED' : 'ROLLED_BACK',
    ...(lifted === undefined ? {} : { rolledBackAt: lifted }),
    nodes,
    ...(services.length === 0 ? {} : { services }),
    ...(problems.length === 0 ? {} : { problems }),
  });
  const { outcome } = result();
  const evidence = boundedResult(result(), MAX_ENTRY_BYTES);
  const written = await tolerate(`${outcome} not written`, audit.append(experimentId, outcome, ACTOR, evidence));
  // The state machine carries no evidence: then this line is the only one.
  if (!written) log.error('rollback not recorded', { experimentId, ...evidence });
  return result();
}

async function revertUntilClean(
  impacted: AnnouncedNode,
  boots: UnmarkedBoots,
  { experimentId }: RollBackTask,
  { hosts, clock, document }: RollBackDependencies,
  deadlineMs: number,
): Promise<NodeRollback> {
  const parameters = { experimentId, faultId: impacted.faultId, verb: 'revert' };
  for (;;) {
    const leftMs = Math.max(RETRY_PAUSE_MS, deadlineMs - clock.monotonicMs());
    const answer = await hosts.run({ document, instanceId: impacted.instanceId, parameters }, leftMs);
    const rollback = judge(impacted, answer, boots);
    if (rollback.outcome !== 'FAILED' || clock.monotonicMs() + RETRY_PAUSE_MS >= deadlineMs) return rollback;
    await clock.sleep(RETRY_PAUSE_MS);
  }
}

/** A fence that did not hold until the store had settled: acknowledged writes may be lost, whatever the host is now. */
function fenceProblem({ node, fence }: NodeRollback): string[] {
  if (fence?.outcome === 'DEADLINE') return [`${node}: the fence fell at its deadline, before the store had settled`];
  if (fence?.outcome === 'FAILED') return [`${node}: the fence could not be raised, clients were not kept away`];
  if (fence === undefined || GOOD_FENCE_OUTCOMES.includes(fence.outcome)) return [];
  return [`${node}: the fence ended as ${fence.outcome}, which is not known: clients may not have been kept away`];
}

/** Reverted is what the host proves: its own report for this fault, with nothing left over. What others changed is theirs. */
function judge(impacted: AnnouncedNode, { status, report, detail }: CommandResult, boots: UnmarkedBoots): NodeRollback {
  const leftovers = report?.leftovers ?? [];
  const done = report?.state === 'REVERTED' || report?.state === 'NOTHING_TO_REVERT' ? report.state : undefined;
  const lost = report && lostRecord(impacted, report, boots);
  const isOwn = report?.faultId === impacted.faultId && status === 'Success';
  const clean = done !== undefined && isOwn && leftovers.length === 0 && lost === undefined;
  const why = report?.reason ?? lost;
  const said = report ? `${report.state}${why ? `, ${why}` : ''}` : 'no report';
  const fence = report?.fence;
  return {
    ...impacted,
    outcome: clean ? done : 'FAILED',
    ...(report?.revertReason ? { revertReason: report.revertReason } : {}),
    ...(report?.effectLostAt ? { effectLostAt: report.effectLostAt } : {}),
    ...(report?.liftedAt ? { liftedAt: report.liftedAt } : {}),
    ...(fence
      ? {
          fence: {
            outcome: fence.outcome,
            ...(fence.raisedAt ? { raisedAt: fence.raisedAt } : {}),
            ...(fence.loweredAt ? { loweredAt: fence.loweredAt } : {}),
          },
        }
      : {}),
    leftovers,
    ...(report?.changes?.length ? { changes: report.changes } : {}),
    ...remarksOf(report),
    ...(clean ? {} : { detail: `${said} (SSM: ${status}${detail ? `, ${detail}` : ''})` }),
  };
}

/** When the last fault was lifted, by the word of hosts and service; the time of the proof where they give none. */
function rolledBackAt(
  nodes: readonly NodeRollback[],
  services: readonly FisRollback[],
  clock: Clock,
): string | undefined {
  const said = [
    ...nodes.map(({ outcome, liftedAt }) => ({ outcome, at: liftedAt, isOver: false })),
    ...services.map(({ outcome, endedAt }) => ({ outcome, at: endedAt, isOver: endedAt === undefined })),
  ];
  const times = said
    .filter(({ outcome, isOver }) => outcome === 'REVERTED' && !isOver)
    .map(({ at }) => Date.parse(at ?? '') || clock.nowEpochMs());
  // What was over at once says nothing of the end, unless there was nothing else.
  if (times.length === 0 && said.some(({ outcome }) => outcome === 'REVERTED')) times.push(clock.nowEpochMs());
  return times.length === 0 ? undefined : new Date(Math.max(...times)).toISOString();
}
