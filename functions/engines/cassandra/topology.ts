import type { LiveNode } from '../../domain/targets.ts';
import type { NodePlace, StoreTopology } from '../../domain/topology.ts';
import type { CassandraCluster } from './configuration.ts';
import { directoryProblems } from './directories.ts';
import type { HeartbeatMemory } from './heartbeats.ts';
import { livenessOf } from './liveness.ts';
import { type Members, membersOf, seedsAmong } from './members.ts';
import { replicaSetsOf } from './replica-sets.ts';
import { creationOf, shardsOf } from './shards.ts';
import type { Keyspace, NodeAnswer, NodeView } from './views.ts';
import { warningsOf } from './warnings.ts';

/**
 * One picture from what all nodes say. Healthy means that everybody answers, that everybody else sees each node's heartbeat
 * move, that no write waits for a node, that no data are on their way, and that all know the same schema. Pure.
 * @param memory what each node has seen of the others, up to now
 * @param nowMs monotonic
 */
export function mergeTopology(
  cluster: Pick<CassandraCluster, 'cassandra' | 'dataDirectory'>,
  nodes: readonly LiveNode[],
  views: readonly NodeView[],
  memory: Pick<HeartbeatMemory, 'movementOf'>,
  nowMs: number,
): StoreTopology {
  const { cassandra } = cluster;
  const answers = views.flatMap((view) => ('problem' in view ? [] : [view]));
  const silent = views.flatMap((view) => ('problem' in view ? [view] : []));
  const members = membersOf(nodes, answers);
  const liveness = livenessOf(answers, members, memory, nowMs);
  const seeds = seedsAmong(nodes, cassandra.seeds, answers);
  const keyspaces = newest(answers);
  const streaming = new Set(answers.filter(({ streams }) => streams.length > 0).map(({ self }) => self.hostId));
  const { replicaSets, problems: unplaced } = replicaSetsOf(cassandra, keyspaces, members, liveness, streaming);
  const probed = keyspaces.find(({ name }) => name === cassandra.probeKeyspace);
  return {
    shards: probed ? shardsOf(probed, members, liveness, answers, seeds.names) : [],
    advertisedAddresses: members.addresses,
    silentNodes: silent.map(({ node }) => node),
    problems: [
      ...silent.map(({ node, problem }) => `${node} does not answer: ${problem}`),
      ...members.problems,
      ...seeds.problems,
      ...liveness.problems,
      ...answers.flatMap((answer) => nodeProblems(answer, members)),
      ...schemaProblems(answers),
      ...answers.flatMap((answer) => directoryProblems(cluster, answer)),
      ...unplaced,
      ...(answers.length === 0 || answers.every(({ hasProbeTable }) => hasProbeTable)
        ? []
        : [
            `there is no table ${cassandra.probeKeyspace}.${cassandra.probeTable} for the probe: ${creationOf(cassandra, members)}`,
          ]),
    ],
    replicaSets,
    places: placesOf(members),
    warnings: warningsOf(cassandra, answers, keyspaces),
  };
}

/** Who has heard of a change last is not known by its schema’s version: what anybody knows counts. */
function newest(answers: readonly NodeAnswer[]): Keyspace[] {
  return [...new Map(answers.flatMap(({ keyspaces }) => keyspaces.map((each) => [each.name, each]))).values()].sort(
    (one, other) => (one.name < other.name ? -1 : 1),
  );
}

/** What one node says of itself. */
function nodeProblems({ node, problems, hints, streams, repairs }: NodeAnswer, members: Members): string[] {
  return [
    ...problems.map((problem) => `${node} ${problem}`),
    ...hints.map(({ hostId, files }) => `${node} keeps hints for ${members.nameOf(hostId)} (${files} files)`),
    ...streams.map((stream) => `${node} streams data: ${stream}`),
    ...(repairs.length === 0 ? [] : [`${node} repairs ${[...new Set(repairs)].join(', ')}`]),
  ];
}

function schemaProblems(answers: readonly NodeAnswer[]): string[] {
  const versions = Map.groupBy(answers, ({ schema }) => schema);
  if (versions.size < 2) return [];
  const said = [...versions].map(([version, by]) => `${version} on ${by.map(({ node }) => node).join(', ')}`);
  return [`nodes disagree on the schema: ${said.join('; ')}`];
}

/** Racks and datacenters: what a selector may name beside shards. */
function placesOf({ ring, nodeOf }: Members): NodePlace[] {
  const standing = ring.flatMap(({ hostId, datacenter, rack }) => {
    const node = nodeOf(hostId);
    return node === undefined ? [] : [{ node, datacenter, rack: `${datacenter}:${rack}` }];
  });
  const grouped = (by: 'datacenter' | 'rack') =>
    [...Map.groupBy(standing, (each) => each[by])].map(([name, own]) => ({
      name,
      members: own.map(({ node }) => node).sort(),
    }));
  return [...grouped('datacenter'), ...grouped('rack')];
}
