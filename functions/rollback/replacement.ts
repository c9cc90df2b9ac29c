import type { AdmissionFacts } from '../domain/admission.ts';
import type { Clock } from '../domain/clock.ts';
import type { Experiment } from '../domain/experiment.ts';
import type { LiveNode } from '../domain/targets.ts';
import { membersOf, type StoreTopology } from '../domain/topology.ts';

/** After a termination: whether others have the places of those that are gone. */

/** What FIS did to the instances of a fault. */
export interface Replacement {
  /** All of them are gone, by its word: none may be there any more. */
  isComplete: boolean;
  /** When it began. */
  sinceMs: number | undefined;
}

/** A fault that was rolled back; without `replaces` one of another kind. */
interface Terminated {
  impactedNodes: string[];
  replaces?: Replacement;
}

/** The cluster as admission saw it. */
export interface NodesBefore {
  /** The nodes that the faults hit, and those in their shards; each once. */
  known: { name: string; instanceId: string; shards: string[] }[];
}

export function nodesBefore(
  cluster: string,
  { faults }: Pick<Experiment, 'faults'>,
  { targets }: Pick<AdmissionFacts, 'targets'>,
): NodesBefore {
  const own = targets.filter(({ faultId }) =>
    faults.some((fault) => fault.faultId === faultId && fault.cluster === cluster),
  );
  const nodes = own.flatMap(({ impacted, shardMembers }) => [...impacted, ...shardMembers]);
  const known = [...new Map(nodes.map((node) => [node.name, node])).values()].map(({ name, instanceId, roles }) => ({
    ...{ name, instanceId, shards: roles.map(({ shard }) => shard) },
  }));
  return { known };
}

/**
 * Where instances may be gone for good, and FIS may have reached some of them only: as many nodes as before must have their
 * places in the shards that were hit, whoever they are, and none on an instance that is gone by the word of FIS.
 */
export function notReplaced(
  rolledBack: readonly Terminated[],
  nodes: readonly LiveNode[],
  topology: StoreTopology,
  before: NodesBefore | undefined,
): string[] {
  const terminations = rolledBack.filter(({ replaces }) => replaces);
  if (terminations.length === 0) return [];
  const names = (of: readonly Terminated[]) => of.flatMap(({ impactedNodes }) => impactedNodes);
  const all = names(terminations).join(', ');
  if (!before) return [`${all}: not known to be replaced: the log does not tell who was there`];
  const gone = names(terminations.filter(({ replaces }) => replaces?.isComplete));
  const instances = before.known.filter(({ name }) => gone.includes(name)).map(({ instanceId }) => instanceId);
  const still = nodes.filter(({ instanceId }) => instances.includes(instanceId)).map(({ name }) => name);
  const placed = new Set(shardsOf(before, topology).flatMap(membersOf));
  const there = nodes.filter(({ name }) => placed.has(name)).length;
  return [
    ...still.map((node) => `${node}: its instance is there still, although it was terminated`),
    ...(there < before.known.length
      ? [`${all}: not replaced yet: ${there} of ${before.known.length} nodes have their place in its shards`]
      : []),
  ];
}

/** Those that the faults hit, as they are now. */
function shardsOf({ known }: NodesBefore, { shards }: StoreTopology): StoreTopology['shards'] {
  const names = new Set(known.flatMap((node) => node.shards));
  return shards.filter(({ name }) => names.has(name));
}

/** Who has joined the shards of those that were terminated, and by when at the latest, a line each. */
export function replacementsIn(
  nodes: readonly LiveNode[],
  topology: StoreTopology | undefined,
  rolledBack: readonly Terminated[],
  before: NodesBefore | undefined,
  clock: Clock,
): string[] {
  const since = rolledBack.flatMap(({ replaces }) => replaces?.sinceMs ?? []);
  if (since.length === 0 || !before || !topology) return [];
  const known = new Set(before.known.map(({ instanceId }) => instanceId));
  const placed = new Set(shardsOf(before, topology).flatMap(membersOf));
  const joined = nodes.filter(({ name, instanceId }) => !known.has(instanceId) && placed.has(name));
  const seconds = (clock.nowEpochMs() - Math.min(...since)) / 1000;
  return joined.map(
    ({ name, instanceId }) =>
      `${name} (${instanceId}): has its place in the store, at most ${seconds.toFixed(0)} s after the termination`,
  );
}
