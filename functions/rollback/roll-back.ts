import type { CommandResult, HostCommands } from '../aws/host-commands.ts';
import type { Clock } from '../domain/clock.ts';
import type { ServiceFaults } from '../domain/fis-faults.ts';
import { MAX_ENTRY_BYTES } from '../domain/limits.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import type { NodeRollback, ResolvedTargets, RollbackResult, ServiceRollback } from '../domain/workflow.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { LeaseStore, ReleaseReason } from '../tables/leases.ts';
import { boundedResult } from './bounded-result.ts';
import { lostRecord, type UnmarkedBoots, unmarkedBoots } from './lost-record.ts';
import type { PlannedFaults } from './planned-faults.ts';

const ACTOR = { function: 'roll-back' };
/** The host's fence may take 15 s, a busy agent as long again; beyond this a person is needed. */
const DEADLINE_MS = 40_000;
/**
 * An instance may take minutes to stop before it can be started again, and only then can its host be asked. Below the
 * time limit of the function.
 */
const SERVICE_DEADLINE_MS = 180_000;
const RETRY_PAUSE_MS = 1000;

export interface RollBackDependencies {
  leases: Pick<LeaseStore, 'release' | 'read'>;
  audit: Pick<AuditLog, 'append' | 'read'>;
  hosts: HostCommands;
  services: Pick<ServiceFaults, 'rollBack'>;
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

type Entries = Awaited<ReturnType<AuditLog['read']>>;
type Impacted = Pick<NodeRollback, 'node' | 'instanceId' | 'faultId'>;

/**
 * The only way back, whoever calls: release the lease (hosts let go within a poll), record, revert on every node that
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
  const impacted = entries ? injectedNodes(entries, targets) : resolvedNodes(targets);
  const blind = entries === undefined && targets === undefined;
  if (blind) problems.push('which nodes were injected is not known: their own lease and TTL end the fault');

  const inService = (entries ? announced(entries, 'services') : []) as { faultId: string }[];
  const hasServices = entries ? inService.length > 0 : task.hasServiceFaults;
  const deadlineMs = startedMs + (hasServices ? SERVICE_DEADLINE_MS : DEADLINE_MS);
  const boots = unmarkedBoots(entries ?? []);
  const [nodes, services] = await Promise.all([
    Promise.all(impacted.map((node) => revertUntilClean(node, boots, task, dependencies, deadlineMs))),
    hasServices
      ? dependencies.services.rollBack(
          experimentId,
          inService.map(({ faultId }) => faultId),
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
  const written = await tolerate(`${outcome} not written`, audit.append(experimentId, outcome, ACTOR, { ...evidence }));
  // The state machine carries no evidence: then this line is the only one.
  if (!written) log.error('rollback not recorded', { experimentId, ...evidence });
  return result();
}

async function revertUntilClean(
  impacted: Impacted,
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
  return fence?.outcome === 'FAILED' ? [`${node}: the fence could not be raised, clients were not kept away`] : [];
}

/** Reverted is what the host proves: its own report for this fault, with nothing left over. What others changed is theirs. */
function judge(impacted: Impacted, { status, report, detail }: CommandResult, boots: UnmarkedBoots): NodeRollback {
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
    ...(clean ? {} : { detail: `${said} (SSM: ${status}${detail ? `, ${detail}` : ''})` }),
  };
}

/**
 * Every node that an INJECTING entry announced, confirmed or not; none when nothing was announced. Where something was,
 * the resolved targets are added: reverting too much is harmless.
 */
function injectedNodes(entries: Entries, targets: ResolvedTargets | undefined): Impacted[] {
  if (entries.every(({ type }) => type !== 'INJECTING')) return [];
  const commands = announced(entries, 'commands') as Impacted[];
  const named = commands.map(({ node, instanceId, faultId }) => ({ node, instanceId, faultId }));
  return unique([...named, ...resolvedNodes(targets)]);
}

/** Of all INJECTING entries: `commands` for hosts, `services` for FIS. */
function announced(entries: Entries, what: 'commands' | 'services'): unknown[] {
  return entries
    .filter(({ type }) => type === 'INJECTING')
    .flatMap(({ details }) => (details[what] as unknown[] | undefined) ?? []);
}

function resolvedNodes(targets: ResolvedTargets | undefined): Impacted[] {
  return unique(
    (targets?.faults ?? []).flatMap(({ faultId, impacted }) =>
      impacted.map(({ name, instanceId }) => ({ node: name, instanceId, faultId })),
    ),
  );
}

function unique(nodes: Impacted[]): Impacted[] {
  return [...new Map(nodes.map((node) => [`${node.faultId} ${node.instanceId}`, node])).values()];
}

/** When the last fault was lifted, by the word of hosts and service; the time of the proof where they give none. */
function rolledBackAt(
  nodes: readonly NodeRollback[],
  services: readonly ServiceRollback[],
  clock: Clock,
): string | undefined {
  const said = [
    ...nodes.map(({ outcome, liftedAt }) => ({ outcome, at: liftedAt })),
    ...services.map(({ outcome, endedAt }) => ({ outcome, at: endedAt })),
  ];
  const times = said
    .filter(({ outcome }) => outcome === 'REVERTED')
    .map(({ at }) => Date.parse(at ?? '') || clock.nowEpochMs());
  return times.length === 0 ? undefined : new Date(Math.max(...times)).toISOString();
}
