import fc from 'fast-check';
import { expect, it } from 'vitest';
import { admit } from '../../../functions/admission/admit.ts';
import { startExperiment } from '../../../functions/api/start-experiment.ts';
import type { LiveNode } from '../../../functions/domain/targets.ts';
import type { ReplicaSet, StoreTopology } from '../../../functions/domain/topology.ts';
import type { EngineCluster } from '../../../functions/engines/configuration.ts';
import { portsOf } from '../admission/fixtures.ts';
import { configuration } from '../domain/configuration-fixtures.ts';
import { CALLER, detailsOf } from '../domain/fixtures.ts';
import { liveNode, shardOf, topologyOf } from '../domain/target-fixtures.ts';
import { CASSANDRA_CLUSTER } from '../engines/cassandra/fixtures.ts';
import { KAFKA_CLUSTER } from '../engines/kafka/fixtures.ts';
import { controlPlane, STEP } from './control-plane.ts';

const COPIES = 3;
/** Of the nodes of a cluster, and so of all clusters together. */
const MOST_PCT = 10;
/** Sizes at, below and above a whole number of nodes. */
const SIZES = { caches: 12, sessions: 33, log: 20, ring: 29 } as const;
type Name = keyof typeof SIZES;
const NAMES = Object.keys(SIZES) as Name[];
const nodeNames = (name: Name) => Array.from({ length: SIZES[name] }, (_, index) => `${name}-${index}`);

/** Each part of the data on three nodes that stand side by side, on every third one, or on each one, begins another. */
function copiesIn(name: Name, step: number): string[][] {
  const nodes = nodeNames(name);
  const starts = nodes.filter((_, index) => index % step === 0);
  return starts.map((first) =>
    Array.from({ length: COPIES }, (_, next) => nodes[(nodes.indexOf(first) + next) % nodes.length] ?? ''),
  );
}

/** The same for all: with one copy lost a part is whole, with two it is not. */
const COPIES_IN: Record<Name, string[][]> = {
  ...{ caches: copiesIn('caches', COPIES), sessions: copiesIn('sessions', COPIES) },
  ...{ log: copiesIn('log', 1), ring: copiesIn('ring', 1) },
};

function topologyIn(name: Name): StoreTopology {
  if (name === 'caches' || name === 'sessions')
    return topologyOf(COPIES_IN[name].map((nodes, index) => shardOf(`shard-${index}`, ...nodes)));
  const shards = COPIES_IN[name].map(([first = '', ...others], index) => ({
    name: `holdfast-probe-${index}`,
    members: [{ node: first, role: 'leader' }, ...others.map((node) => ({ node, role: 'follower' }))],
    problems: [],
  }));
  const replicaSets = COPIES_IN[name].map(
    (members, index): ReplicaSet => ({ name: `${name}-part-${index}`, members, inSync: members, minInSync: 2 }),
  );
  return topologyOf(shards, { replicaSets, silentNodes: [] });
}

const selected = (name: Name) => ({ tier: 'production', selectTags: { 'holdfast-cluster': name } });
/** What a production cluster of an engine with logins has to have. */
const production = (name: Name) => ({
  ...selected(name),
  tls: { serverName: `{node}.${name}.example` },
  ...{ secretName: name, credentialsFor: { securityGroupId: 'sg-1' } },
});
const deployment = configuration(
  {},
  {
    ...{ caches: selected('caches'), sessions: selected('sessions') },
    log: { ...KAFKA_CLUSTER, ...production('log'), kafka: { sasl: 'SCRAM-SHA-512' } },
    ring: { ...CASSANDRA_CLUSTER, ...production('ring') },
  },
);
const nameOf = ({ selectTags }: EngineCluster) => selectTags['holdfast-cluster'] as Name;
const liveIn = (name: Name): LiveNode[] =>
  nodeNames(name).map((node, index) =>
    liveNode(index, { name: node, instanceId: `i-${node}`, addresses: [`10.${NAMES.indexOf(name)}.0.${index + 1}`] }),
  );

/** Some of a cluster's nodes: mostly so few that they may be hit, if it were for their number alone. */
const fault = fc.constantFrom(...NAMES).chain((name) =>
  fc
    .oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) })
    .chain((tooMany) =>
      fc.uniqueArray(fc.constantFrom(...nodeNames(name)), {
        ...{ minLength: 1, maxLength: Math.floor((SIZES[name] * MOST_PCT) / 100) + tooMany },
      }),
    )
    .map((targetNodes) => ({
      ...{ targetService: name, action: 'PROCESS_PAUSE' },
      parameters: { targetNodes },
    })),
);
type Fault = typeof fault extends fc.Arbitrary<infer F> ? F : never;
const faults = fc.oneof(
  { weight: 3, arbitrary: fault.map((one) => [one]) },
  { weight: 1, arbitrary: fc.array(fault, { minLength: 2, maxLength: 3 }) },
);
/** Requests that arrive together, then the end of some that run. */
const step = fc.record({
  requests: fc.array(faults, { minLength: 1, maxLength: 4 }),
  ends: fc.array(fc.nat(), { maxLength: 2 }),
});

it('however many experiments run at once on however many engines, no more than a tenth of all nodes is hit, of none more than its copies survive', async () => {
  const seen = { refused: 0, together: 0, clusters: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const plane = controlPlane();
      const { audit, clock, locks } = plane;
      const ports = portsOf({
        lockHolder: async (name) => locks.get(name)?.experimentId,
        listLiveNodes: async (cluster) => liveIn(nameOf(cluster)),
        readTopology: async (cluster) => topologyIn(nameOf(cluster)),
      });
      const running = new Map<string, Fault[]>();
      const start = async (experimentId: string, faults: Fault[]) => {
        const safetyThreshold = { maxAlertSeverity: 'CRITICAL', automaticRollbackOnAlert: true };
        const { status } = await startExperiment(
          {
            body: JSON.stringify({ experimentId, durationSeconds: 60, safetyThreshold, faults }),
            ...{ dryRun: false, caller: CALLER, ownerToken: experimentId },
          },
          {
            ...plane.dependencies,
            clusters: deployment.clusters,
            admit: (experiment, caller) => admit(experiment, deployment, ports, clock, 'Holdfast-Test-', caller),
            executions: {
              start: async (name) => {
                await audit.append(name, 'INJECTING', STEP, detailsOf('INJECTING'));
                await audit.append(name, 'INJECTED', STEP, detailsOf('INJECTED'));
                running.set(experimentId, faults);
              },
            },
          },
        );
        expect(status === 202).toBe(running.has(experimentId));
        if (status !== 202) seen.refused += 1;
      };
      for (const [number, { requests, ends }] of steps.entries()) {
        await Promise.all(requests.map((faults, index) => start(`run-${number}-${index}`, faults)));
        const hit = new Set([...running.values()].flat().flatMap(({ parameters }) => parameters.targetNodes));
        const fleet = NAMES.flatMap(nodeNames);
        expect(100 * hit.size).toBeLessThanOrEqual(MOST_PCT * fleet.length);
        for (const name of NAMES) {
          const ofCluster = nodeNames(name).filter((node) => hit.has(node));
          expect(100 * ofCluster.length).toBeLessThanOrEqual(MOST_PCT * SIZES[name]);
          for (const copies of COPIES_IN[name]) {
            expect(copies.filter((node) => hit.has(node)).length).toBeLessThan(2);
          }
        }
        if (running.size > 1) seen.together += 1;
        if (new Set([...hit].map((node) => node.split('-')[0])).size > 2) seen.clusters += 1;
        for (const at of ends) {
          const ended = [...running.keys()][at % Math.max(running.size, 1)];
          if (ended === undefined) continue;
          running.delete(ended);
          for (const name of NAMES) await plane.dependencies.locks.giveBack(name, ended);
        }
      }
    }),
    { numRuns: 60 },
  );
  // Else it would have shown nothing.
  expect(seen.refused).toBeGreaterThan(50);
  expect(seen.together).toBeGreaterThan(50);
  expect(seen.clusters).toBeGreaterThan(10);
});
