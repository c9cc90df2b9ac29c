import type { Clock } from '../domain/clock.ts';
import type { Experiment } from '../domain/experiment.ts';
import { type FaultKind, fisKindOf, isFisFaultKind, isReplacedAfter } from '../domain/faults/catalogue.ts';
import { firstLines, MAX_LINE_CHARACTERS, MAX_LINES } from '../domain/limits.ts';
import { nodesHitBy } from '../domain/resolve-targets.ts';
import type { LiveNode } from '../domain/targets.ts';
import { membersOf, type StoreTopology, topologyProblems } from '../domain/topology.ts';
import type { NodeRollback, RecoveryResult, RollbackSummary } from '../domain/workflow.ts';
import type { Engine, Settling, Store } from '../engines/engine.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import { type NodesBefore, notReplaced, type Replacement, replacementsIn } from './replacement.ts';

const POLL_INTERVAL_MS = 1000;
/** A save takes its time; asking for it more often would only be answered with "it is under way". */
const REPAIR_INTERVAL_MS = 5000;

/** One cluster of the experiment, and how it is seen and helped. */
export interface RecoveringCluster {
  name: string;
  /** How long its store may take, seconds. */
  recoverySeconds: number;
  observe: () => Promise<{ nodes: LiveNode[]; topology: StoreTopology }>;
  repair: Store['repair'];
  startsNext?: Engine['startsNext'];
  whenNotBack?: Engine['whenNotBack'];
  settlesAfter?: Engine['settlesAfter'];
  /** Who was there when it was admitted; absent: the log does not tell. */
  before?: NodesBefore | undefined;
  /** Starts the store of a node whose fault is over. Never rejects, and is done within seconds. */
  start(node: RolledBackNode): Promise<StartResult>;
}

export type RolledBackNode = Pick<NodeRollback, 'node' | 'instanceId' | 'faultId'>;
type EndedFault = Pick<NodeRollback, 'node' | 'faultId'>;

/** What was done, in a line; or why nothing was known to be done. Neither: the store was not down. */
export interface StartResult {
  repair?: string;
  problem?: string;
}

export interface RecoveryDependencies {
  audit: Pick<AuditLog, 'append'>;
  clock: Clock;
}

/**
 * A clean host is not a healthy store: repairs what the fault broke on the impacted nodes, and waits until every shard
 * of every cluster is healthy and every impacted node has its place in one again. Not recovering is an outcome, not an
 * error.
 */
export async function verifyRecovery(
  experiment: Experiment,
  rollback: RollbackSummary | undefined,
  clusters: readonly RecoveringCluster[],
  { audit, clock }: RecoveryDependencies,
): Promise<RecoveryResult> {
  const recoveries = await Promise.all(
    clusters.map(async (cluster) => {
      const rolledBack = rolledBackIn(cluster.name, experiment, rollback);
      const impacted = [...new Set(rolledBack.flatMap(({ impactedNodes }) => impactedNodes))];
      const ended = (rollback?.nodes ?? []).filter(({ node }) => impacted.includes(node));
      const settling = settlingOf(cluster, experiment, rolledBack);
      return { impacted, ...(await recover(cluster, rolledBack, ended, settling, clock)) };
    }),
  );
  const lines = (of: (recovery: (typeof recoveries)[number]) => string[]) =>
    recoveries.flatMap((recovery, index) =>
      of(recovery).map((line) => (clusters.length > 1 ? `${clusters[index]?.name}: ${line}` : line)),
    );
  const problems = lines((recovery) => recovery.problems);
  const repairs = lines((recovery) => recovery.repairs);
  const outcome = problems.length === 0 ? 'RECOVERED' : 'NOT_RECOVERED';
  const result: RecoveryResult = {
    outcome,
    verifiedAt: new Date(clock.nowEpochMs()).toISOString(),
    problems: firstLines(problems, MAX_LINES, MAX_LINE_CHARACTERS),
    ...(repairs.length === 0 ? {} : { repairs: firstLines(repairs, MAX_LINES, MAX_LINE_CHARACTERS) }),
  };
  const type = outcome === 'RECOVERED' ? 'RECOVERY_VERIFIED' : 'RECOVERY_FAILED';
  const details = { ...result, impacted: recoveries.flatMap(({ impacted }) => impacted) };
  await audit.append(experiment.experimentId, type, { function: 'verify-recovery' }, details);
  return result;
}

/** A fault that was rolled back, with those of its nodes on which it was. */
interface RolledBack {
  faultId: string;
  kind: FaultKind;
  impactedNodes: string[];
  /**
   * The stores it hit must have started since that time: EC2 calls an instance running all through a reboot, and does it
   * some time after it was asked to. Absent for an action that never began, or that FIS says has failed.
   */
  restartsSinceMs?: number;
  /** Its instances are gone for good, as far as they were reached: others must have their places. */
  replaces?: Replacement;
}

/** Faults on the cluster that were rolled back, on the host or in the service. */
function rolledBackIn(cluster: string, { faults }: Experiment, rollback: RollbackSummary | undefined): RolledBack[] {
  return faults
    .filter((fault) => fault.cluster === cluster)
    .flatMap(({ faultId, kind, impactedNodes }): RolledBack[] => {
      const onHosts = (rollback?.nodes ?? []).filter((each) => each.faultId === faultId).map(({ node }) => node);
      if (onHosts.length > 0) return [{ faultId, kind, impactedNodes: onHosts }];
      const service = rollback?.services?.find((each) => each.faultId === faultId);
      if (!service) return [];
      const since = service.begunAt === undefined ? undefined : Date.parse(service.begunAt);
      const restarts = isFisFaultKind(kind) && fisKindOf(kind).restartsStore === true;
      return [
        {
          ...{ faultId, kind, impactedNodes },
          ...(restarts && since !== undefined ? { restartsSinceMs: since } : {}),
          ...(isReplacedAfter(kind) ? { replaces: { isComplete: service.state === 'completed', sinceMs: since } } : {}),
        },
      ];
    });
}

/** What the store goes on with of the faults that were rolled back. */
function settlingOf(
  { settlesAfter }: Pick<RecoveringCluster, 'settlesAfter'>,
  { faults }: Experiment,
  rolledBack: readonly RolledBack[],
): Settling[] {
  const left = faults.flatMap((fault) => {
    const own = rolledBack.find(({ faultId }) => faultId === fault.faultId);
    return own ? [{ ...fault, impactedNodes: own.impactedNodes }] : [];
  });
  return settlesAfter?.(left) ?? [];
}

async function recover(
  { recoverySeconds, observe, repair, startsNext, whenNotBack, before, start }: RecoveringCluster,
  rolledBack: readonly RolledBack[],
  ended: readonly EndedFault[],
  settling: readonly Settling[],
  clock: Clock,
): Promise<{ problems: string[]; repairs: string[] }> {
  // Nothing was injected: there is nothing to wait for, one look says how the store is.
  const deadlineMs = clock.monotonicMs() + (rolledBack.length === 0 ? 0 : recoverySeconds * 1000);
  const settledMs = clock.monotonicMs() + Math.max(0, ...settling.map(({ seconds }) => seconds * 1000));
  const repairs = new Set(
    settling.map(({ nodes, seconds, why }) => `${nodes.join(', ')}: waited ${seconds} s: ${why}`),
  );
  const notStarted = new Map<string, string>();
  const started = new Set<string>();
  let repairAtMs = clock.monotonicMs();
  for (;;) {
    const { nodes, problems, topology } = await lookAt(observe, rolledBack, before, clock);
    const isSettled = clock.monotonicMs() >= settledMs;
    if (problems.length === 0 && isSettled)
      return { problems, repairs: [...repairs, ...replacementsIn(nodes, topology, rolledBack, before, clock)] };
    if (clock.monotonicMs() >= deadlineMs && isSettled)
      return {
        problems: [...problems, ...notStarted.values(), ...notBack(started, topology, whenNotBack)],
        repairs: [...repairs],
      };
    if (clock.monotonicMs() >= repairAtMs) {
      repairAtMs = clock.monotonicMs() + REPAIR_INTERVAL_MS;
      const impacted = ended.map(({ node }) => node);
      const next = topology && startsNext?.(topology, impacted);
      const fault = ended.find(({ node }) => node === next);
      const instanceId = nodes.find(({ name }) => name === next)?.instanceId;
      if (fault && instanceId !== undefined) {
        // Awaited, and what it came to is seen before the next one is asked for: never two at once.
        const { repair: line, problem } = await start({ ...fault, instanceId });
        if (line !== undefined) {
          repairs.add(line);
          started.add(fault.node);
        }
        if (problem === undefined) notStarted.delete(fault.node);
        else notStarted.set(fault.node, problem);
      }
      const ill = nodesHitBy(rolledBack, nodes);
      const done = await repair(ill).catch((error: unknown) => {
        log.warn('not repaired yet', { nodes: ill.map(({ name }) => name), error: String(error) });
        return [];
      });
      for (const repaired of done) repairs.add(repaired);
    }
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

/** Of stores that were asked to start, and are silent at the end. */
function notBack(
  started: ReadonlySet<string>,
  topology: StoreTopology | undefined,
  advice = 'its log says why',
): string[] {
  const silent = [...started].filter((node) => topology?.silentNodes?.includes(node));
  return silent.map((node) => `${node}: its store was started and does not answer: ${advice}`);
}

async function lookAt(
  observe: RecoveringCluster['observe'],
  rolledBack: readonly RolledBack[],
  before: NodesBefore | undefined,
  clock: Clock,
): Promise<{ nodes: LiveNode[]; problems: string[]; topology?: StoreTopology }> {
  try {
    const { nodes, topology } = await observe();
    const placed = new Set(topology.shards.flatMap(membersOf));
    const lost = namesHitBy(
      rolledBack.filter(({ replaces }) => !replaces),
      nodes,
    ).filter((node) => !placed.has(node));
    const restarting = rolledBack.flatMap(({ restartsSinceMs, ...fault }) =>
      restartsSinceMs === undefined ? [] : notRestarted(topology, namesHitBy([fault], nodes), restartsSinceMs, clock),
    );
    const problems = [
      ...topologyProblems(topology),
      ...lost.map((node) => `${node}: is in no shard`),
      ...restarting,
      ...notReplaced(rolledBack, nodes, topology, before),
    ];
    return { nodes, problems: [...new Set(problems)], topology };
  } catch (error) {
    return { nodes: [], problems: [`store: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

/** The named nodes, live or not, and of a fault on a whole host every live node of it. */
function namesHitBy(
  faults: readonly Pick<RolledBack, 'kind' | 'impactedNodes'>[],
  nodes: readonly LiveNode[],
): string[] {
  const named = faults.flatMap(({ impactedNodes }) => impactedNodes);
  return [...new Set([...named, ...nodesHitBy(faults, nodes).map(({ name }) => name)])];
}

/** A store that has run since before is a host that was not rebooted, or not yet. One that does not tell is unknown. */
function notRestarted(
  { uptimeSeconds }: StoreTopology,
  restarting: readonly string[],
  sinceMs: number,
  clock: Clock,
): string[] {
  return restarting.flatMap((node) => {
    const uptime = uptimeSeconds?.[node];
    if (uptime === undefined) return [`${node}: not seen to restart: its store does not tell for how long it has run`];
    if (clock.nowEpochMs() - uptime * 1000 > sinceMs) return [];
    return [`${node}: not seen to restart: its store has run for ${uptime} s, since before the fault`];
  });
}
