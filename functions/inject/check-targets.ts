import { requireAdmittedTargets, toleratedLossOf } from '../domain/admitted.ts';
import { lastOf, type TargetsCheck } from '../domain/audit-entry.ts';
import { limitsOf, refuseTooManyNodes } from '../domain/blast-radius.ts';
import { movedChoices } from '../domain/choose-nodes.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import type { Experiment, Fault } from '../domain/experiment.ts';
import { firstLines, MAX_LINE_CHARACTERS, MAX_LINES } from '../domain/limits.ts';
import { nodesHitAtStart, shardsHitBy } from '../domain/probed-shards.ts';
import { nodesHitBy } from '../domain/resolve-targets.ts';
import { isInShard, type LiveNode, type ResolvedFault, type ResolvedTargets } from '../domain/targets.ts';
import { membersOf, type StoreTopology } from '../domain/topology.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import type { EngineCluster } from '../engines/configuration.ts';
import { mayExceedReplication } from '../engines/may-exceed-replication.ts';
import { engineOf } from '../engines/registry.ts';
import type { AuditLog } from '../tables/audit-log.ts';

const ACTOR = { function: 'check-targets' };

/** One cluster of the experiment, and how it is seen. */
export interface SeenCluster {
  name: string;
  cluster: EngineCluster;
  /**
   * `replaced`: why an Auto Scaling group would replace a target by now, or not replace one that is to be terminated.
   * @param injected ids of the faults that are there already
   */
  observe: (
    injected: readonly string[],
  ) => Promise<{ nodes: LiveNode[]; topology: StoreTopology; replaced?: string | undefined }>;
}

/**
 * Before each later batch: what was true at admission may not be any more. The nodes that are still to be hit, and whom
 * they are to be cut off from, must be where they were and have the roles they were chosen by; the share of nodes and what replication survives are counted again
 * on the nodes that there are now; and a shard that no fault is on must be healthy. In what state the others are is the
 * doing of the faults.
 * @throws WorkflowError OutsideLimits with every problem found; NotAdmitted
 */
export async function checkTargets(
  run: Pick<ExperimentRun, 'experiment' | 'targets'>,
  clusters: () => readonly SeenCluster[],
  audit: Pick<AuditLog, 'append' | 'read'>,
): Promise<void> {
  const { experiment } = run;
  const entries = await audit.read(experiment.experimentId);
  const targets = requireAdmittedTargets(entries, run);
  const injected = lastOf(entries, 'INJECTED')?.injectedFaults ?? [];
  const looks = await Promise.all(
    clusters().map((each) => {
      const toleratesLoss = toleratedLossOf(entries, each.name) !== undefined && mayExceedReplication(each.cluster);
      return lookAt(each, experiment, targets, injected, toleratesLoss);
    }),
  );
  await audit.append(experiment.experimentId, 'TARGETS_CHECKED', ACTOR, { clusters: looks });
  const problems = looks.flatMap(({ cluster, problems: found }) => found.map((problem) => `${cluster}: ${problem}`));
  if (problems.length > 0) throw new WorkflowError(ErrorName.OutsideLimits, problems.join('; '));
}

async function lookAt(
  { name, cluster, observe }: SeenCluster,
  experiment: Experiment,
  targets: ResolvedTargets,
  injected: readonly string[],
  toleratesLoss: boolean,
): Promise<TargetsCheck> {
  const { nodes, topology, replaced } = await observe(injected);
  const faults = experiment.faults.filter((fault) => fault.cluster === name);
  const resolved = (wanted: (faultId: string) => boolean): ResolvedFault[] =>
    targets.faults.filter(({ faultId }) => faults.some((fault) => fault.faultId === faultId) && wanted(faultId));
  const faultsOn = faults.filter(({ faultId }) => injected.includes(faultId));
  // As they were found before the faults: a node that is away is in no shard any more.
  const ofFaultsOn = namesHitBy(faultsOn, targets);
  const shardsOn = new Set(faultsOn.flatMap((fault) => shardsHitBy(fault, targets.faults)));
  const toCome = resolved((faultId) => !injected.includes(faultId));
  const hit = new Set([...namesHitBy(faults, targets), ...nodesHitBy(faults, nodes).map((node) => node.name)]);
  const before = withMembersAtStart(
    topology,
    resolved(() => true),
  );
  // An instance that a fault has stopped is none that was lost: it counts among those there are.
  const liveNodes = new Set([...nodes.map((node) => node.name), ...ofFaultsOn]).size;
  const limits = limitsOf(cluster);
  const away = goneFrom(before, nodes);
  // By the names that they had at the start: of one that is away the store may know another.
  const atStart = resolved(() => true).flatMap(({ impacted, shardMembers }) => [...impacted, ...shardMembers]);
  const known = [...new Set(atStart.map((node) => node.name))];
  const problems = [
    ...moved(toCome, nodes, ofFaultsOn),
    ...chosenOtherwise(
      faults.filter(({ faultId }) => !injected.includes(faultId)),
      nodes,
      topology,
      ofFaultsOn,
    ),
    replaced,
    refuseTooManyNodes(hit.size, liveNodes, limits)?.detail,
    ...(toleratesLoss
      ? known
          .filter((node) => away.includes(node) && !hit.has(node))
          .map((node) => `${node} is away, and no fault is on it`)
      : [engineOf(cluster).refuseLoss(before, [...hit, ...away])?.detail]),
    ...topology.shards
      .filter((shard) => !shardsOn.has(shard.name))
      .flatMap((shard) => shard.problems.map((problem) => `${shard.name}: ${problem}`)),
    ...(ofFaultsOn.size === 0 ? topology.problems : []),
    ...(topology.shards.length === 0 ? ['no shard is known'] : []),
  ].filter((problem) => problem !== undefined);
  return {
    cluster: name,
    liveNodes,
    impactedNodes: hit.size,
    maxNodesPct: limits.maxNodesPct,
    problems: firstLines(problems, MAX_LINES, MAX_LINE_CHARACTERS),
  };
}

function namesHitBy(faults: readonly Fault[], targets: ResolvedTargets): ReadonlySet<string> {
  return new Set(faults.flatMap((fault) => nodesHitAtStart(fault, targets.faults)).map(({ name }) => name));
}

/** The shards as they were at the start: who is away now has not left them, it counts as lost. */
function withMembersAtStart(topology: StoreTopology, faults: readonly ResolvedFault[]): StoreTopology {
  const atStart = faults.flatMap(({ impacted, shardMembers }) => [...impacted, ...shardMembers]);
  const names = [
    ...topology.shards.map(({ name }) => name),
    ...atStart.flatMap(({ roles }) => roles.map(({ shard }) => shard)),
  ];
  const shards = [...new Set(names)].map((name) => {
    const now = topology.shards.find((shard) => shard.name === name) ?? { name, members: [], problems: [] };
    const known = new Set(now.members.map(({ node }) => node));
    const others = new Set(
      atStart.filter((node) => isInShard(node, name) && !known.has(node.name)).map((node) => node.name),
    );
    return { ...now, members: [...now.members, ...[...others].map((node) => ({ node }))] };
  });
  return { ...topology, shards };
}

/** Members of a shard that are no live node, or whose store does not answer. */
function goneFrom({ shards, uptimeSeconds, silentNodes }: StoreTopology, nodes: readonly LiveNode[]): string[] {
  const answers = (node: string) =>
    silentNodes ? !silentNodes.includes(node) : uptimeSeconds === undefined || uptimeSeconds[node] !== undefined;
  const isThere = (node: string) => nodes.some(({ name }) => name === node) && answers(node);
  return shards.flatMap(membersOf).filter((node) => !isThere(node));
}

/**
 * Of those faults that are still to come: what was chosen by a role that somebody else has now. Roles are those before the
 * first fault: a node that lost its own under a fault of this experiment is hit as admitted. Any other that moved, also
 * because of that fault, would make the next one another fault than was admitted.
 */
function chosenOtherwise(
  toCome: readonly Fault[],
  nodes: readonly LiveNode[],
  topology: StoreTopology,
  ofFaultsOn: ReadonlySet<string>,
): string[] {
  const live = nodes.map(({ name }) => name);
  return toCome
    .flatMap((fault) => movedChoices(fault, live, topology))
    .filter(({ lost }) => lost.length === 0 || !lost.every((name) => ofFaultsOn.has(name)))
    .map(({ line }) => line);
}

/** Of those that are still to be hit or cut off: who is not where he was. A node that a fault of ours has stopped may be away. */
function moved(
  toCome: readonly ResolvedFault[],
  nodes: readonly LiveNode[],
  ofFaultsOn: ReadonlySet<string>,
): string[] {
  const lines = toCome.flatMap(({ faultId, impacted, peers }) =>
    [...impacted, ...peers].flatMap((target) => {
      const now = nodes.find(({ name }) => name === target.name);
      if (!now) return ofFaultsOn.has(target.name) ? [] : [`${faultId}: ${target.name} is not a live node any more`];
      const isSame =
        (!('instanceId' in target) || target.instanceId === now.instanceId) &&
        target.addresses.every((address) => now.addresses.includes(address));
      return isSame
        ? []
        : [`${faultId}: ${target.name} is on another instance, or has other addresses, than at the start`];
    }),
  );
  return [...new Set(lines)];
}
