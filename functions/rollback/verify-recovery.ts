import type { Clock } from '../domain/clock.ts';
import type { Experiment } from '../domain/experiment.ts';
import { fisKindOf, isFisFaultKind } from '../domain/faults/catalogue.ts';
import { firstLines, MAX_LINE_CHARACTERS, MAX_LINES } from '../domain/limits.ts';
import type { LiveNode } from '../domain/targets.ts';
import { membersOf, type StoreTopology, topologyProblems } from '../domain/topology.ts';
import type { RecoveryResult, RollbackSummary } from '../domain/workflow.ts';
import type { Store } from '../engines/engine.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';

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
      const impacted = impactedIn(cluster.name, experiment, rollback);
      const restarts = restartsIn(cluster.name, experiment, rollback);
      return { impacted, ...(await recover(cluster, impacted, restarts, clock)) };
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

/** Nodes of the cluster whose faults were rolled back, on the host or in the service, each once. */
function impactedIn(cluster: string, { faults }: Experiment, rollback: RollbackSummary | undefined): string[] {
  const own = faults.filter((fault) => fault.cluster === cluster);
  const reverted = (rollback?.nodes ?? []).filter(({ faultId }) => own.some((fault) => fault.faultId === faultId));
  const ended = own.filter(({ faultId }) => (rollback?.services ?? []).some((service) => service.faultId === faultId));
  return [...new Set([...reverted.map(({ node }) => node), ...ended.flatMap(({ impactedNodes }) => impactedNodes)])];
}

/**
 * Nodes whose store must have started since that time: EC2 calls an instance running all through a reboot, and does it
 * some time after it was asked to. Not those of an action that never began, or that FIS says has failed.
 */
function restartsIn(
  cluster: string,
  { faults }: Experiment,
  rollback: RollbackSummary | undefined,
): Map<string, number> {
  const restarting = faults.filter(
    ({ kind, cluster: own }) => own === cluster && isFisFaultKind(kind) && fisKindOf(kind).restartsStore,
  );
  return new Map(
    restarting.flatMap(({ faultId, impactedNodes }) => {
      const begunAt = rollback?.services?.find((each) => each.faultId === faultId)?.begunAt;
      return begunAt === undefined ? [] : impactedNodes.map((node): [string, number] => [node, Date.parse(begunAt)]);
    }),
  );
}

async function recover(
  { recoverySeconds, observe, repair }: RecoveringCluster,
  impacted: readonly string[],
  restarts: ReadonlyMap<string, number>,
  clock: Clock,
): Promise<{ problems: string[]; repairs: string[] }> {
  // Nothing was injected: there is nothing to wait for, one look says how the store is.
  const deadlineMs = clock.monotonicMs() + (impacted.length === 0 ? 0 : recoverySeconds * 1000);
  const repairs = new Set<string>();
  let repairAtMs = clock.monotonicMs();
  for (;;) {
    const { nodes, problems } = await lookAt(observe, impacted, restarts, clock);
    if (problems.length === 0 || clock.monotonicMs() >= deadlineMs) return { problems, repairs: [...repairs] };
    if (clock.monotonicMs() >= repairAtMs) {
      repairAtMs = clock.monotonicMs() + REPAIR_INTERVAL_MS;
      const ill = nodes.filter(({ name }) => impacted.includes(name));
      const done = await repair(ill).catch((error: unknown) => {
        log.warn('not repaired yet', { nodes: ill.map(({ name }) => name), error: String(error) });
        return [];
      });
      for (const repaired of done) repairs.add(repaired);
    }
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

async function lookAt(
  observe: RecoveringCluster['observe'],
  impacted: readonly string[],
  restarts: ReadonlyMap<string, number>,
  clock: Clock,
): Promise<{ nodes: LiveNode[]; problems: string[] }> {
  try {
    const { nodes, topology } = await observe();
    const placed = new Set(topology.shards.flatMap(membersOf));
    const lost = impacted.filter((node) => !placed.has(node)).map((node) => `${node}: is in no shard`);
    return { nodes, problems: [...topologyProblems(topology), ...lost, ...notRestarted(topology, restarts, clock)] };
  } catch (error) {
    return { nodes: [], problems: [`store: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

/** A store that has run since before is a host that was not rebooted, or not yet. One that does not tell is unknown. */
function notRestarted({ uptimeSeconds }: StoreTopology, restarts: ReadonlyMap<string, number>, clock: Clock): string[] {
  return [...restarts].flatMap(([node, begunMs]) => {
    const uptime = uptimeSeconds?.[node];
    if (uptime === undefined) return [`${node}: not seen to restart: its store does not tell for how long it has run`];
    if (clock.nowEpochMs() - uptime * 1000 > begunMs) return [];
    return [`${node}: not seen to restart: its store has run for ${uptime} s, since before the fault`];
  });
}
