import { describe, expect, it } from 'vitest';
import type { Selector } from '../../../functions/domain/selectors.ts';
import type { EngineCluster } from '../../../functions/engines/configuration.ts';
import { checkTargets } from '../../../functions/inject/check-targets.ts';
import { admittedLog, resolvedTargetsOf } from '../domain/admitted-fixtures.ts';
import { redisCluster } from '../domain/configuration-fixtures.ts';
import { experimentOf, faultWith } from '../domain/experiment-fixtures.ts';
import { detailsOf, type Given } from '../domain/fixtures.ts';
import { liveNode, roleIn, shardOf, targetNode, topologyOf } from '../domain/target-fixtures.ts';
import { kafkaCluster } from '../engines/kafka/fixtures.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const NODES = Array.from({ length: 12 }, (_, index) => index + 1);
const name = (number: number) => `redis-node-${number}`;
const onNode = (number: number, node: number, startSeconds: number) =>
  faultWith({ kind: 'CPU_SPIKE', targetNodes: [name(node)], cores: 1, loadPct: 50 }, { number, startSeconds });
/** Twelve nodes in four shards; the first fault is on node 1, the second is to come on node 4. */
const experiment = experimentOf([onNode(1, 1, 0), onNode(2, 4, 10)]);
const cluster: EngineCluster = {
  ...redisCluster(),
  blastRadius: { maxNodesPct: 20, maxTrafficSharePct: 50 },
  tier: 'staging',
};

function world(seen: { toleratedLoss?: string } = {}, ofCluster: EngineCluster = cluster) {
  const targets = resolvedTargetsOf(experiment);
  // A node that no fault is on.
  const beside = targetNode(3, { name: name(3), roles: [roleIn('shard-1')] });
  const [first] = targets.faults;
  if (first && seen.toleratedLoss !== undefined) first.shardMembers = [...first.impacted, beside];
  const audit = memoryAuditLog({
    entries: admittedLog({ experiment, targets, seen }, [
      'INJECTED',
      { ...detailsOf('INJECTED'), injectedFaults: ['exp.1'] },
    ]),
  });
  const now = {
    nodes: NODES.map((number) => liveNode(number)),
    topology: topologyOf(
      [0, 3, 6, 9].map((from) => shardOf(`shard-${from / 3 + 1}`, ...[1, 2, 3].map((n) => name(from + n)))),
    ),
  };
  const clusters = () => [{ name: 'redis-master', cluster: ofCluster, observe: async () => now }];
  const run = { experiment, targets };
  return { audit, seen: now, run, check: () => checkTargets(run, clusters, audit) };
}
type World = ReturnType<typeof world>;

const without = ({ seen }: World, ...gone: number[]) => {
  const names = gone.map(name);
  seen.nodes = seen.nodes.filter((node) => !names.includes(node.name));
  for (const shard of seen.topology.shards) {
    const before = shard.members.length;
    shard.members = shard.members.filter(({ node }) => !names.includes(node));
    if (shard.members.length < before) shard.problems.push('a replica is not a live node of the cluster');
  }
};
const change = ({ seen }: Pick<World, 'seen'>, number: number, changes: object) =>
  Object.assign(seen.nodes.find((node) => node.name === name(number)) ?? {}, changes);

describe('before a later batch', () => {
  it('everything is as it was: the log has the numbers, and the batch may come', async () => {
    const { check, audit } = world();
    await check();
    expect(audit.detailsOf('TARGETS_CHECKED')).toEqual([
      { clusters: [{ cluster: 'redis-master', liveNodes: 12, impactedNodes: 2, maxNodesPct: 20, problems: [] }] },
    ]);
  });

  it.each<[string, RegExp, (given: World) => void]>([
    ['a node that is to be hit has gone', /redis-node-4 is not a live node any more/, (given) => without(given, 4)],
    [
      'another instance has its name',
      /redis-node-4 is on another instance/,
      (given) => change(given, 4, { instanceId: 'i-new' }),
    ],
    [
      'it has another address',
      /redis-node-4 is on another instance, or has other/,
      (given) => change(given, 4, { addresses: ['10.9.9.9'] }),
    ],
    [
      'so many nodes have gone that the share is too large',
      /2 of 9 live nodes is more than 20 %/,
      (given) => without(given, 8, 9, 12),
    ],
    ['its shard would not survive it any more', /shard-2 would keep 1 of 2 nodes/, (given) => without(given, 5)],
    ['the shard of the first fault has lost one more', /shard-1 would keep 1 of 2 nodes/, (given) => without(given, 3)],
    [
      'a shard that no fault is on is ill',
      /shard-3: Sentinels disagree/,
      ({ seen }) => seen.topology.shards[2]?.problems.push('Sentinels disagree'),
    ],
    [
      'a store of the shard of the first fault is silent, although its instance lives',
      /shard-1 would keep 1 of 3 nodes/,
      ({ seen }) => {
        seen.topology.uptimeSeconds = Object.fromEntries(NODES.map((number) => [name(number), 100]));
        delete seen.topology.uptimeSeconds[name(2)];
      },
    ],
    [
      'a store that tells no uptime is silent, although its instance lives',
      /shard-1 would keep 1 of 3 nodes/,
      ({ seen }) => Object.assign(seen.topology, { silentNodes: [name(2)] }),
    ],
    [
      'a group would replace a target by now',
      /group-1 replaces redis-node-4/,
      ({ seen }) => Object.assign(seen, { replaced: 'group-1 replaces redis-node-4' }),
    ],
    ['no shard is known', /no shard is known/, ({ seen }) => seen.topology.shards.splice(0)],
  ])('ends the run when %s, and the log says why', async (_what, why, spoil) => {
    const given = world();
    spoil(given);
    await expect(given.check()).rejects.toMatchObject({ name: 'OutsideLimits', message: why });
    expect(given.audit.detailsOf('TARGETS_CHECKED')[0]?.clusters[0]?.problems.join()).toMatch(why);
  });

  describe('of a run that was admitted not to be survived', () => {
    const toleratedLoss = 'shard-1 would keep 1 of 3 nodes';
    const limits = { blastRadius: { maxNodesPct: 20, maxTrafficSharePct: 50 } };
    const disposable = kafkaCluster({ ...limits, disposable: true });

    it('asks nothing of replication, and all else', async () => {
      const given = world({ toleratedLoss }, disposable);
      await given.check();
      change(given, 4, { instanceId: 'i-new' });
      await expect(given.check()).rejects.toMatchObject({ message: /redis-node-4 is on another instance/ });
    });

    it('ends it when a node is away that no fault is on', async () => {
      const given = world({ toleratedLoss }, disposable);
      given.seen.nodes = given.seen.nodes.filter((node) => node.name !== name(3));
      await expect(given.check()).rejects.toMatchObject({ message: /redis-node-3 is away, and no fault is on it/ });
    });

    it('knows a node that its own fault has stopped by the name that it had, whatever the store calls it now', async () => {
      const given = world({ toleratedLoss }, disposable);
      given.seen.nodes = given.seen.nodes.filter((node) => node.name !== name(1));
      const [first] = given.seen.topology.shards;
      first?.members.splice(0, 1, { node: 'broker 1 (10.0.0.1:9092)' });
      await given.check();
    });

    it('asks replication all the same where the cluster may not lose that by now', async () => {
      await expect(world({ toleratedLoss }, kafkaCluster(limits)).check()).rejects.toMatchObject({
        message: /no partition is known/,
      });
    });
  });

  it('does not hold against the run what its own fault does to its node and its shard', async () => {
    const given = world();
    without(given, 1);
    given.seen.topology.shards[0]?.problems.push('Sentinels disagree on the master');
    await given.check();
  });

  it('does not hold against the run what its own fault does to the other stores of a host that it hits whole', async () => {
    const given = world();
    const onHost = faultWith(
      { kind: 'DISK_FULL', targetNodes: [name(1)], fillPct: 90, reserveBytes: 0, allowRootVolume: false },
      { number: 1, startSeconds: 0 },
    );
    const whole = experimentOf([onHost, onNode(2, 4, 10)]);
    const targets = resolvedTargetsOf(whole);
    const [first] = targets.faults;
    // The store of shard-3 is on the same instance.
    const neighbour = targetNode(7, { instanceId: 'i-1', roles: [roleIn('shard-3')] });
    first?.shardMembers.push(neighbour);
    const audit = memoryAuditLog({
      entries: admittedLog({ experiment: whole, targets }, [
        'INJECTED',
        { ...detailsOf('INJECTED'), injectedFaults: ['exp.1'] },
      ]),
    });
    change(given, 7, { instanceId: 'i-1' });
    given.seen.topology.shards[2]?.problems.push('redis-node-7 does not answer');
    const clusters = () => [
      {
        name: 'redis-master',
        cluster: { ...cluster, blastRadius: { maxNodesPct: 30, maxTrafficSharePct: 50 } },
        observe: async () => given.seen,
      },
    ];
    await checkTargets({ experiment: whole, targets }, clusters, audit);
  });

  describe('a role by which a node to come was chosen', () => {
    /** The first fault is on node 1, which leads shard-1; the second is to come on `nodes`, chosen by the role. */
    const chosen = (selector: Selector, node: number) => {
      const given = world();
      const toCome = {
        ...faultWith({ kind: 'PROCESS_PAUSE', targetNodes: [name(node)] }, { number: 2, startSeconds: 10 }),
        chosenBy: [{ field: 'targetNodes', selector, nodes: [name(node)] }],
      };
      const whole = experimentOf([onNode(1, 1, 0), toCome]);
      const targets = resolvedTargetsOf(whole);
      const injected: Given = ['INJECTED', { ...detailsOf('INJECTED'), injectedFaults: ['exp.1'] }];
      const audit = memoryAuditLog({ entries: admittedLog({ experiment: whole, targets }, injected) });
      const wide = { ...cluster, blastRadius: { maxNodesPct: 50, maxTrafficSharePct: 50 } };
      const clusters = () => [{ name: 'redis-master', cluster: wide, observe: async () => given.seen }];
      const lead = (shard: number, ...nodes: number[]) => {
        given.seen.topology.shards[shard - 1] = shardOf(`shard-${shard}`, ...nodes.map(name));
      };
      return { ...given, lead, check: () => checkTargets({ experiment: whole, targets }, clusters, audit) };
    };

    it('is asked for again, and the batch may come while the same node has it', () =>
      chosen({ role: 'master', of: 'shard-2' }, 4).check());

    it('that somebody else has now ends the run', async () => {
      const { lead, check } = chosen({ role: 'master', of: 'shard-2' }, 4);
      lead(2, 5, 4, 6);
      await expect(check()).rejects.toMatchObject({
        message: /the master of shard-2 is redis-node-5 now, redis-node-4 was admitted/,
      });
    });

    it('that its node lost under a fault of this experiment keeps nothing from coming: roles are those before the first', async () => {
      const { lead, check } = chosen({ role: 'master', of: 'shard-1' }, 1);
      lead(1, 2, 1, 3);
      await check();
    });

    it('that another node got because of that fault ends the run: it would hit a leader that was admitted as a follower', async () => {
      const { lead, check } = chosen({ role: 'replica', of: 'shard-1' }, 2);
      lead(1, 2, 1, 3);
      await expect(check()).rejects.toMatchObject({
        message: /the replica of shard-1 is redis-node-1 now, redis-node-2 was admitted/,
      });
    });

    it('that is not certain now ends the run', async () => {
      const { seen, check } = chosen({ role: 'master', of: 'shard-2' }, 4);
      for (const member of seen.topology.shards[1]?.members ?? []) delete member.role;
      await expect(check()).rejects.toMatchObject({ message: /master of shard-2 is not certain now/ });
    });
  });

  it('ends the run when the store cannot be asked, and looks at nothing for one that was not admitted', async () => {
    const unseen = world();
    const clusters = () => [{ name: 'redis-master', cluster, observe: () => Promise.reject(new Error('no route')) }];
    await expect(checkTargets(unseen.run, clusters, unseen.audit)).rejects.toThrow('no route');
    const forged = world();
    forged.run.experiment = experimentOf([onNode(1, 1, 0)]);
    await expect(forged.check()).rejects.toMatchObject({ name: 'NotAdmitted' });
    expect(forged.audit.detailsOf('TARGETS_CHECKED')).toEqual([]);
  });
});
