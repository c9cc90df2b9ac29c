import { describe, expect, it } from 'vitest';
import { topologyProblems } from '../../../../functions/domain/topology.ts';
import { partitionOf } from '../../../../functions/engines/kafka/groups.ts';
import type { BrokerAnswer, BrokerView } from '../../../../functions/engines/kafka/views.ts';
import {
  announced,
  answer,
  answers,
  liveBroker,
  merge,
  NODES,
  node,
  partition,
  silent,
  withPartitions,
} from './fixtures.ts';

const problems = (views: readonly BrokerView[], kafka?: Record<string, unknown>) =>
  topologyProblems(merge(views, kafka));
const rolesIn = (views: readonly BrokerView[], shard: string) =>
  Object.fromEntries(
    (merge(views).shards.find(({ name }) => name === shard)?.members ?? []).map(({ node: name, role }) => [name, role]),
  );
const setOf = (views: readonly BrokerView[], name: string) =>
  merge(views).replicaSets?.find((set) => set.name === name);
/** Broker 3 has been cut off: it knows what was true before. */
const isolated = (current: Partial<BrokerAnswer>, old: Partial<BrokerAnswer> = {}) => [
  ...[answer(1, current), answer(2, { ...current, groups: new Map() }), answer(3, old)],
];

describe('three brokers that are well', () => {
  it('are healthy, with a role for each in each of its shards, and every partition of every topic', () => {
    const topology = merge(answers());
    expect(topologyProblems(topology)).toEqual([]);
    expect(topology.warnings).toEqual([]);
    expect(topology.silentNodes).toEqual([]);
    expect(topology.advertisedAddresses).toEqual({
      ...{ [node(1)]: '10.77.0.31', [node(2)]: '10.77.0.32', [node(3)]: '10.77.0.33' },
    });
    expect(topology.shards.map(({ name, unprobed }) => [name, unprobed])).toEqual([
      ['holdfast-probe-0', undefined],
      ['holdfast-probe-1', undefined],
      ['holdfast-probe-2', undefined],
      ['quorum', true],
      ['group-orders-workers', true],
    ]);
    expect(topology.replicaSets?.map(({ name }) => name)).toHaveLength(10);
    expect(setOf(answers(), 'orders-1')).toEqual({
      name: 'orders-1',
      ...{ leader: node(2), members: [node(2), node(3), node(1)], inSync: [node(2), node(3), node(1)], minInSync: 2 },
    });
    expect(rolesIn(answers(), 'holdfast-probe-1')).toEqual({
      ...{ [node(1)]: 'follower', [node(2)]: 'leader', [node(3)]: 'follower' },
    });
    expect(rolesIn(answers(), 'quorum')).toEqual({ [node(1)]: 'voter', [node(2)]: 'controller', [node(3)]: 'voter' });
  });
});

describe('a broker that says nothing', () => {
  it('is a problem by its name, and silent', () => {
    const views = [answer(1), answer(2, { groups: new Map() }), silent(3)];
    expect(problems(views)).toEqual([`store: ${node(3)} does not answer: Connection timed out`]);
    expect(merge(views).silentNodes).toEqual([node(3)]);
  });

  it('is named as the node that it was when it is fenced: the others still know what it announced', () => {
    const brokers = [announced(1), announced(2), announced(3, { isFenced: true })];
    const partitions = withPartitions(partition('orders', 2, { leader: 1, leaderEpoch: 5, inSync: [1, 2] }));
    const views = [
      answer(1, { brokers, partitions }),
      answer(2, { brokers, partitions, groups: new Map() }),
      silent(3),
    ];
    expect(problems(views)).toEqual([
      `store: ${node(3)} does not answer: Connection timed out`,
      `store: ${node(3)} is fenced: the controller does not take it for alive`,
      `store: 1 of 9 partitions are under-replicated: orders-2 (in sync ${node(1)} ${node(2)} of 3)`,
    ]);
    expect(setOf(views, 'orders-2')).toMatchObject({ members: [node(3), node(1), node(2)], leader: node(1) });
  });

  it('leaves no shard when nobody else says anything either', () => {
    const topology = merge([1, 2, 3].map((id) => silent(id)));
    expect(topology.shards).toEqual([]);
    expect(topologyProblems(topology)).toContain('store: no shard is known');
  });
});

describe('which broker is which node', () => {
  const withThird = (change: Record<string, unknown>) =>
    answers({ brokers: [announced(1), announced(2), announced(3, change)] });

  it('is told by what it announces: an address of no node is refused with the name of the setting', () => {
    const nat = withThird({ host: '203.0.113.3', addresses: ['203.0.113.3'] });
    expect(problems(nat)).toEqual(
      expect.arrayContaining([
        'store: broker 3 (203.0.113.3:9092) announces an address of no live node of the cluster (advertised.listeners)',
        `store: ${node(3)} is no broker that any other knows (advertised.listeners, port)`,
      ]),
    );
    expect(problems(withThird({ port: 9096 }))).toContain(
      'store: broker 3 (10.77.0.33:9096) announces an address of no live node of the cluster (advertised.listeners)',
    );
  });

  it('is told by the address of the name that it announces', () => {
    const named = withThird({ host: 'kafka-3.example', addresses: ['192.0.2.1', '10.77.0.33'] });
    expect(merge(named).advertisedAddresses[node(3)]).toBe('10.77.0.33');
    expect(rolesIn(named, 'holdfast-probe-2')[node(3)]).toBe('leader');
  });

  it('is doubtful when two announce the same', () => {
    expect(problems(withThird({ host: '10.77.0.32', addresses: ['10.77.0.32'] })).join()).toMatch(
      /kafka-node-2 is what two brokers announce, 2 and 3/,
    );
  });
});

describe('brokers that disagree', () => {
  const moved = withPartitions(partition('holdfast-probe', 2, { leader: 1, leaderEpoch: 5, inSync: [1, 2] }));

  it('give no role, and it is said who sees something else; what is in sync is what the newest say', () => {
    const views = isolated({ partitions: moved });
    expect(rolesIn(views, 'holdfast-probe-2')).toEqual({
      ...{ [node(1)]: undefined, [node(2)]: undefined, [node(3)]: undefined },
    });
    expect(merge(views).shards.find(({ name }) => name === 'holdfast-probe-2')?.problems).toContain(
      `brokers disagree on its leader: ${node(3)}`,
    );
    expect(setOf(views, 'holdfast-probe-2')).toMatchObject({ leader: node(1), inSync: [node(1), node(2)] });
    expect(rolesIn(views, 'holdfast-probe-1')[node(2)]).toBe('leader');
  });

  it('of the same epoch count as in sync only who is so for all of them', () => {
    const views = isolated({ partitions: withPartitions(partition('orders', 0, { inSync: [1, 2] })) });
    expect(setOf(views, 'orders-0')).toMatchObject({ leader: node(1), inSync: [node(1), node(2)] });
  });

  it('of the same epoch and another leader leave no leader', () => {
    const views = isolated({ partitions: withPartitions(partition('orders', 0, { leader: 2 })) });
    expect(setOf(views, 'orders-0')).not.toHaveProperty('leader');
  });

  it('on the controller give no role in the quorum', () => {
    const voters = [1, 2, 3].map((id) => ({ id, silentMs: 0 }));
    const views = isolated({ quorum: { leader: 1, epoch: 8, voters } });
    expect(Object.values(rolesIn(views, 'quorum'))).toEqual([undefined, undefined, undefined]);
    expect(problems(views)).toContain(
      `quorum: brokers disagree on the controller: ${node(1)} says ${node(1)} (epoch 8), ${node(2)} says ${node(1)} (epoch 8), ${node(3)} says ${node(2)} (epoch 7)`,
    );
  });
});

describe('the quorum of controllers', () => {
  it('is unknown while no controller answers: who may vote has no certain role', () => {
    const views = answers({ quorum: { problem: 'Request timed out' } });
    expect(rolesIn(views, 'quorum')).toEqual({ [node(1)]: undefined, [node(2)]: undefined, [node(3)]: undefined });
    expect(setOf(views, 'quorum')).toBeUndefined();
    expect(problems(views)).toContain(`quorum: ${node(1)} says nothing of the controller: Request timed out`);
  });

  it('does not count a controller that has stopped fetching, and says for how long', () => {
    const voters = [
      { id: 1, silentMs: 0 },
      { id: 2, silentMs: 4200 },
      { id: 3, silentMs: Number.POSITIVE_INFINITY },
    ];
    const views = answers({ quorum: { leader: 1, epoch: 8, voters } });
    expect(setOf(views, 'quorum')).toEqual({
      ...{ name: 'quorum', leader: node(1), members: [node(1), node(2), node(3)], inSync: [node(1)], minInSync: 2 },
    });
    expect(problems(views)).toEqual(
      expect.arrayContaining([
        `quorum: ${node(2)} has not fetched the metadata log for 4.2 s`,
        `quorum: ${node(3)} has never fetched the metadata log`,
      ]),
    );
  });

  it('may have controllers that are no nodes of the cluster: they count, and are nobody’s target', () => {
    const voters = [100, 101, 102].map((id) => ({ id, silentMs: 0 }));
    const views = answers({ quorum: { leader: 101, epoch: 8, voters } });
    expect(setOf(views, 'quorum')).toMatchObject({
      ...{ leader: 'controller 101', members: ['controller 100', 'controller 101', 'controller 102'], minInSync: 2 },
    });
    expect(rolesIn(views, 'quorum')).toEqual({});
  });

  it('without a leader is a problem', () => {
    const views = answers({ quorum: { leader: -1, epoch: 8, voters: [{ id: 1, silentMs: 0 }] } });
    expect(problems(views)).toContain('quorum: has no leader');
  });
});

describe('partitions of every topic', () => {
  it('are a problem in one line a kind, the first five by name with who is in sync', () => {
    const many = Array.from({ length: 40 }, (_, index) => partition('clicks', index, { inSync: [1, 2] }));
    const views = answers({ partitions: withPartitions(...many, partition('orders', 1, { leader: -1, inSync: [] })) });
    const [offline, under, below] = problems(views).filter((line) => line.includes('partitions'));
    expect(offline).toBe('store: 1 of 49 partitions have no certain leader: orders-1');
    expect(under).toMatch(
      /^store: 41 of 49 partitions are under-replicated: clicks-0 \(in sync kafka-node-1 kafka-node-2 of 3\), clicks-1 .*, 36 more$/,
    );
    expect(below).toBe('store: 1 of 49 partitions have fewer in sync than min.insync.replicas: orders-1 (0 of 2)');
  });

  it('have the limit that their leader enforces, and where nobody tells it the strictest', () => {
    const settings = (minInSync: number) =>
      new Map([['orders', { minInSync, allowsUncleanLeaders: false, isThrottled: true }]]);
    const views = [answer(1, { topicSettings: settings(1) }), answer(2, { topicSettings: settings(2) }), silent(3)];
    expect(setOf(views, 'orders-0')?.minInSync).toBe(1);
    expect(setOf(views, 'orders-1')?.minInSync).toBe(2);
    // Led by the silent one.
    expect(setOf(views, 'orders-2')?.minInSync).toBe(2);
    expect(setOf([answer(1, { topicSettings: new Map() })], 'orders-0')?.minInSync).toBe(3);
  });

  it('that are being moved are a problem', () => {
    const views = answers({ reassigned: ['orders-1'] });
    expect(problems(views)).toContain('store: 1 of 9 partitions are being reassigned: orders-1');
    expect(setOf(views, 'orders-1')?.isReassigned).toBe(true);
  });

  it('that we may not see are a problem that names the right: a list of topics leaves them out', () => {
    expect(problems(answers({ storedTopics: ['orders', 'secrets'] }))).toContain(
      'store: nobody tells of 1 topics that are stored, secrets: the user has no ACL Describe on topic *',
    );
  });
});

describe('log directories', () => {
  it('that are offline, or not where they should be, are a problem', () => {
    const views = answers({ logDirectories: [{ path: '/data/a' }, { path: '/data/b', error: 'offline' }] });
    const found = problems(views, { logDirectories: ['/data/a', '/var/lib/kafka'] });
    expect(found).toContain(`store: ${node(1)} has its log directory /data/b offline`);
    expect(found).toContain(
      `store: ${node(1)} has no log directory /var/lib/kafka (kafka.logDirectories), but /data/a, /data/b`,
    );
  });
});

describe('the topic of the probe', () => {
  const withProbe = (...own: ReturnType<typeof partition>[]) =>
    answers({ partitions: [...withPartitions().filter(({ topic }) => topic !== 'holdfast-probe'), ...own] });

  it('is a problem when it is missing, has no second replica or too few partitions, with what to do', () => {
    expect(problems(withProbe())).toContain(
      'store: there is no topic holdfast-probe for the probe, or no ACL Describe on it: kafka-topics.sh --create --topic holdfast-probe --partitions 3 --replication-factor 3',
    );
    const lone = [0, 1, 2].map((index) =>
      partition('holdfast-probe', index, { replicas: [index + 1], inSync: [index + 1] }),
    );
    expect(problems(withProbe(...lone)).join()).toMatch(/holdfast-probe has one replica only/);
    expect(problems(withProbe(partition('holdfast-probe', 0))).join()).toMatch(
      /holdfast-probe has 1 partitions for 3 brokers, .*kafka-topics.sh --alter --topic holdfast-probe --partitions 3/,
    );
  });

  it('warns of a broker that leads none of it: no fault on that one could be measured', () => {
    const views = withProbe(
      ...[0, 1, 2].map((index) => partition('holdfast-probe', index, { leader: index === 2 ? 1 : index + 1 })),
    );
    expect(problems(views)).toEqual([]);
    expect(merge(views).warnings?.join()).toMatch(/^kafka-node-3 leads no partition of holdfast-probe: elect/);
  });
});

describe('a consumer group', () => {
  it('is where its offsets are, as Kafka computes it', () => {
    // By Java's String.hashCode: "a" 97, "orders-workers" and one whose hash is the smallest number.
    expect(partitionOf('a', 50)).toBe(47);
    expect(partitionOf('polygenelubricants', 50)).toBe(0);
    expect(
      rolesIn(
        answers().map((_, index) => answer(index + 1)),
        'group-orders-workers',
      ),
    ).toEqual({
      ...{ [node(1)]: 'coordinator', [node(2)]: 'follower', [node(3)]: 'follower' },
    });
  });

  it('that is not there is a problem, and one that another broker coordinates has no roles', () => {
    expect(problems(answers({ groups: new Map() }))).toContain(
      'group-orders-workers: there is no group orders-workers: no broker that answers coordinates it',
    );
    expect(problems(answers({ groups: new Map([['orders-workers', 'Dead']]) })).join()).toMatch(/there is no group/);
    const elsewhere = [
      answer(1, { groups: new Map() }),
      answer(2, { groups: new Map([['orders-workers', 'Stable']]) }),
      answer(3),
    ];
    expect(Object.values(rolesIn(elsewhere, 'group-orders-workers'))).toEqual([undefined, undefined, undefined]);
    expect(problems(elsewhere).join()).toMatch(
      /is coordinated by kafka-node-2, but __consumer_offsets-0 is led by kafka-node-1/,
    );
  });
});

describe('warnings', () => {
  it('tell of what makes a fault more dangerous, and refuse nothing', () => {
    const topicSettings = new Map([['orders', { minInSync: 1, allowsUncleanLeaders: true, isThrottled: false }]]);
    const healthy = [1, 2, 3].map((id) => answer(id, { topicSettings, settings: {} }));
    expect(topologyProblems(merge(healthy)).filter((line) => !line.includes('min.insync'))).toEqual([]);
    expect(merge(healthy).warnings).toEqual([
      expect.stringMatching(/^no replication throttle .* on kafka-node-1, kafka-node-2, kafka-node-3: /),
      expect.stringMatching(/^unclean.leader.election.enable is true, .* for orders$/),
      expect.stringMatching(/^min.insync.replicas is 1, .* for orders$/),
    ]);
    const throttled = [1, 2, 3].map((id) => answer(id, { topicSettings }));
    expect(merge(throttled).warnings?.[0]).toMatch(/the replication throttle holds for none of orders/);
  });
});

describe('a broker that tells only part', () => {
  it('is a problem by its name', () => {
    expect(
      problems(
        answers({ problems: ['does not tell its settings: the user has no ACL DescribeConfigs on the cluster'] }),
      ),
    ).toContain(`store: ${node(1)} does not tell its settings: the user has no ACL DescribeConfigs on the cluster`);
  });
});

describe('nodes and brokers apart', () => {
  it('a live node that runs no broker is a problem', () => {
    const four = [...NODES, liveBroker(4)];
    const topology = merge([...answers(), silent(4, 'connect ECONNREFUSED')], { groups: [] }, four);
    expect(topology.problems).toContain(`${node(4)} is no broker that any other knows (advertised.listeners, port)`);
  });
});
