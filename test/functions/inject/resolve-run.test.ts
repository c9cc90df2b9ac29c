import { describe, expect, it } from 'vitest';
import { resolveTargets } from '../../../functions/domain/resolve-targets.ts';
import { type ClusterLook, resolveRun } from '../../../functions/inject/resolve-run.ts';
import { experimentOf, faultWith } from '../domain/experiment-fixtures.ts';
import { detailsOf, logOf } from '../domain/fixtures.ts';
import { liveNode, shardOf, topologyOf } from '../domain/target-fixtures.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const NODES = ['redis-node-1', 'redis-node-2', 'redis-node-3'];
const chosenBy = [{ field: 'targetNodes', selector: { role: 'replica', of: 'shard-1' }, nodes: ['redis-node-2'] }];
const experiment = experimentOf([
  faultWith({ kind: 'CPU_SPIKE', targetNodes: ['redis-node-2'], cores: 1, loadPct: 50 }),
]);

/** A cluster as it was when the experiment was admitted. */
function world(admitted = experiment) {
  const look: ClusterLook = {
    ...{ name: 'redis-master', faults: admitted.faults, exemptAddresses: ['10.77.0.99'] },
    nodes: [1, 2, 3].map((number) => liveNode(number)),
    topology: topologyOf([shardOf('shard-1', ...NODES)]),
    network: { interfaces: [], ownSubnetIds: [] },
    fences: true,
  };
  const faults = resolveTargets(look.faults, look.nodes, look.topology, look.exemptAddresses, look.network);
  const facts = { ...detailsOf('ADMITTED').facts, targets: faults };
  const audit = memoryAuditLog({ entries: logOf('exp', ['ADMITTED', { experiment: admitted, facts }]) });
  let looks = 0;
  const resolve = (run = { experimentId: 'exp', experiment: admitted }) =>
    resolveRun(run, async () => [look].slice(looks++), audit);
  return { look, faults, audit, resolve, looks: () => looks };
}

describe('resolving the targets of a run', () => {
  it('records them when every node is what it was at admission', async () => {
    const { resolve, audit, faults } = world();
    const targets = { faults, exemptAddresses: { 'redis-master': ['10.77.0.99'] } };
    expect(await resolve()).toEqual(targets);
    expect(audit.detailsOf('TARGETS_RESOLVED')).toEqual([{ targets }]);
  });

  it.each<[string, (look: ClusterLook) => void]>([
    ['is master now', (look) => (look.topology = topologyOf([shardOf('shard-1', ...NODES.toReversed())]))],
    ['is on another instance', ({ nodes }) => Object.assign(nodes[1] ?? {}, { instanceId: 'i-new' })],
    ['has another address', ({ nodes }) => Object.assign(nodes[1] ?? {}, { addresses: ['10.9.9.9'] })],
  ])(
    'ends the run, names the node and records nothing when one %s that was not at admission',
    async (_what, change) => {
      const { resolve, audit, look } = world();
      change(look);
      await expect(resolve()).rejects.toMatchObject({
        name: 'TargetsUnresolved',
        message: /since the admission.*redis-node/,
      });
      expect(audit.detailsOf('TARGETS_RESOLVED')).toEqual([]);
    },
  );

  it('ends the run when somebody else has the role by which a node was chosen, and says who', async () => {
    const chosen = experimentOf(experiment.faults.map((fault) => ({ ...fault, chosenBy })));
    const given = world(chosen);
    await given.resolve();
    const moved = world(chosen);
    moved.look.topology = topologyOf([shardOf('shard-1', 'redis-node-2', 'redis-node-1', 'redis-node-3')]);
    await expect(moved.resolve()).rejects.toMatchObject({
      name: 'TargetsUnresolved',
      message: 'exp.1: the replica of shard-1 is redis-node-1 now, redis-node-2 was admitted',
    });
    expect(moved.audit.detailsOf('TARGETS_RESOLVED')).toEqual([]);
  });

  it('takes what a node was chosen by from what was admitted: another choice is another experiment', async () => {
    const { resolve, looks } = world(experimentOf(experiment.faults.map((fault) => ({ ...fault, chosenBy }))));
    const other = [{ ...chosenBy[0], selector: { role: 'rest' } }] as typeof chosenBy;
    const forged = experimentOf(experiment.faults.map((fault) => ({ ...fault, chosenBy: other })));
    await expect(resolve({ experimentId: 'exp', experiment: forged })).rejects.toMatchObject({ name: 'NotAdmitted' });
    expect(looks()).toBe(0);
  });

  it('looks at nothing for an experiment that was not admitted', async () => {
    const { resolve, looks } = world();
    const other = { ...experiment, durationSeconds: 600 };
    await expect(resolve({ experimentId: 'exp', experiment: other })).rejects.toMatchObject({ name: 'NotAdmitted' });
    expect(looks()).toBe(0);
  });
});
