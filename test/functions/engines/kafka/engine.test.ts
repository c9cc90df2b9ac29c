import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReplicaSet, StoreTopology } from '../../../../functions/domain/topology.ts';
import { kafkaEngine } from '../../../../functions/engines/kafka/engine.ts';
import { answer, answers, kafkaCluster, merge, node, partition, withPartitions } from './fixtures.ts';

const engine = kafkaEngine(kafkaCluster());
const { refuseLoss } = engine;
/** Required of this engine, optional of the port. */
const of = <K extends 'refuseDuring' | 'refuseUnmeasured' | 'startsNext'>(name: K) => {
  const member = engine[name];
  if (!member) throw new Error(`no ${name}`);
  return member as NonNullable<(typeof engine)[K]>;
};
const refuseDuring = of('refuseDuring');
const startsNext = of('startsNext');

/** Seven brokers, of which the first few vote. */
const NAMES = Array.from({ length: 7 }, (_, index) => `n${index}`);
const some = fc.subarray(NAMES);
const set = fc.record({
  members: fc.subarray(NAMES, { minLength: 1, maxLength: 5 }),
  out: some,
  minInSync: fc.integer({ min: 0, max: 4 }),
  moved: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
});
const cluster = fc
  .record({
    sets: fc.array(set, { minLength: 1, maxLength: 6 }),
    votersOut: some,
    silent: some,
    knowsQuorum: fc.boolean(),
  })
  .map(({ sets, votersOut, silent, knowsQuorum }): { replicaSets: ReplicaSet[]; silentNodes: string[] } => {
    const replicaSets = sets.map(
      ({ members, out, minInSync, moved }, index): ReplicaSet => ({
        ...{ name: `t-${index}`, members, minInSync, inSync: members.filter((name) => !out.includes(name)) },
        ...(moved ? { isReassigned: true } : {}),
      }),
    );
    const voters = NAMES.slice(0, 5);
    const quorum = {
      ...{ name: 'quorum', members: voters, minInSync: 3 },
      inSync: voters.filter((name) => !votersOut.includes(name)),
    };
    return { replicaSets: knowsQuorum ? [...replicaSets, quorum] : replicaSets, silentNodes: silent };
  });
const topologyWith = (change: Partial<StoreTopology>): StoreTopology => ({
  ...{ shards: [], advertisedAddresses: {}, problems: [], ...change },
});

/** Written from the sentences of the port, one node and one set at a time. */
function survives(
  { members, inSync, minInSync }: ReplicaSet,
  gone: readonly string[],
  ifTouchedOnly: boolean,
): boolean {
  let [touched, left] = [false, 0];
  for (const member of members) {
    if (gone.includes(member)) touched = true;
    else if (inSync.includes(member)) left += 1;
  }
  if (ifTouchedOnly && !touched) return true;
  return left > 0 && left >= minInSync;
}

describe('what replication survives', () => {
  it('is judged as by whoever counts replica by replica, in any cluster', () => {
    fc.assert(
      fc.property(cluster, some, (given, lost) => {
        const expected = given.replicaSets.every((each) => survives(each, lost, true));
        expect(refuseLoss(topologyWith(given), lost) === undefined).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('is less when more is lost: who refuses a loss refuses a larger one', () => {
    fc.assert(
      fc.property(cluster, some, some, (given, lost, more) => {
        fc.pre(refuseLoss(topologyWith(given), lost) !== undefined);
        expect(refuseLoss(topologyWith(given), [...lost, ...more])).toBeDefined();
      }),
    );
  });

  it('is refused with the partition and the numbers behind it', () => {
    expect(refuseLoss(merge(answers()), [node(1)])).toBeUndefined();
    expect(refuseLoss(merge(answers()), [node(1), node(2)])).toEqual({
      detail:
        '__consumer_offsets-0 would keep 1 of 3 replicas in sync: its min.insync.replicas is 2, and so have 9 others',
      numbers: {
        ...{ partition: '__consumer_offsets-0', replicas: 3, inSyncReplicas: 3, remainingInSyncReplicas: 1 },
        ...{ minInsyncReplicas: 2, partitionsConcerned: 10 },
      },
    });
  });

  it('counts who is out of sync already, and a topic with one replica', () => {
    const behind = withPartitions(partition('orders', 0, { inSync: [1, 2] }));
    expect(refuseLoss(merge(answers({ partitions: behind })), [node(1)])?.detail).toMatch(
      /^orders-0 would keep 1 of 3/,
    );
    expect(refuseLoss(merge(answers({ partitions: behind })), [node(3)])).toBeUndefined();
    const lone = withPartitions(partition('audit', 0, { replicas: [3], inSync: [3] }));
    const topology = merge(answers({ partitions: lone }));
    expect(refuseLoss(topology, [node(3)])?.detail).toMatch(/^audit-0 would keep 0 of 1 replicas/);
  });

  it('counts the majority of the controllers, also of those that run apart', () => {
    const voters = [1, 100, 101].map((id) => ({ id, silentMs: id === 101 ? 9000 : 0 }));
    const topology = merge(answers({ quorum: { leader: 100, epoch: 1, voters } }));
    expect(refuseLoss(topology, [node(1)])).toEqual({
      detail: 'quorum would keep 1 of 3 controllers: not a majority',
      numbers: { quorumVoters: 3, remainingVoters: 1, majority: 2 },
    });
    expect(refuseLoss(topology, [node(2)])).toBeUndefined();
  });

  it('is unknown, and refused, where no partition is known', () => {
    expect(refuseLoss(merge([]), [node(1)])).toEqual({ detail: 'no partition is known', numbers: {} });
  });
});

describe('while the fault lives', () => {
  it('the impacted may be gone, nobody else: as judged by whoever counts node by node', () => {
    fc.assert(
      fc.property(cluster, some, (given, impacted) => {
        const expected =
          given.silentNodes.every((name) => impacted.includes(name)) &&
          !given.replicaSets.some(({ isReassigned }) => isReassigned) &&
          given.replicaSets.every((each) => survives(each, impacted, false)) &&
          given.replicaSets.some(({ name }) => name === 'quorum');
        expect(refuseDuring(topologyWith(given), impacted) === undefined).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('an impacted broker that is out of every set, silent and replaced as leader ends nothing', () => {
    const partitions = withPartitions(
      ...[0, 1, 2].map((index) => partition('orders', index, { leader: 2, leaderEpoch: 9, inSync: [1, 2] })),
    );
    const views = [answer(1, { partitions }), answer(2, { partitions }), { node: node(3), problem: 'timed out' }];
    expect(refuseDuring(merge(views), [node(3)])).toBeUndefined();
    expect(refuseDuring(merge(views), [node(1)])).toMatchObject({
      ...{ detail: `${node(3)} does not answer, and no fault is on it`, forSeconds: 3 },
    });
  });

  it('a second broker that falls behind ends it at once, with the numbers', () => {
    const partitions = withPartitions(partition('orders', 0, { leader: 2, leaderEpoch: 9, inSync: [2] }));
    expect(refuseDuring(merge(answers({ partitions })), [node(3)])).toEqual({
      detail: 'orders-0 has, beside the impacted nodes, 1 of 3 replicas in sync: its min.insync.replicas is 2',
      numbers: {
        ...{ partition: 'orders-0', replicas: 3, inSyncReplicas: 1, remainingInSyncReplicas: 1 },
        ...{ minInsyncReplicas: 2, partitionsConcerned: 1 },
      },
    });
    expect(refuseDuring(merge(answers({ reassigned: ['orders-1'] })), [node(3)])?.detail).toMatch(/being reassigned/);
  });

  it('no controller is borne for as long as brokers wait for one that hangs', () => {
    const between = merge(answers({ quorum: { problem: 'timed out' } }));
    expect(refuseDuring(between, [node(2)])).toMatchObject({ detail: 'no controller answers', forSeconds: 45 });
  });
});

describe('a broker that ended itself', () => {
  const state = (silentNodes: string[], out: string[]) =>
    topologyWith({
      silentNodes,
      replicaSets: [
        {
          name: 't-0',
          members: ['n1', 'n2', 'n3'],
          inSync: ['n1', 'n2', 'n3'].filter((name) => !out.includes(name)),
          minInSync: 2,
        },
      ],
    });

  it('is started while every other is well', () => {
    expect(startsNext(state(['n3'], ['n3']), ['n3'])).toBe('n3');
    expect(startsNext(state([], []), ['n3'])).toBeUndefined();
    expect(startsNext(state(['n2', 'n3'], ['n2', 'n3']), ['n3'])).toBeUndefined();
    expect(startsNext(state(['n3'], ['n1', 'n3']), ['n3'])).toBeUndefined();
    expect(startsNext(topologyWith({ silentNodes: ['n3'] }), ['n3'])).toBeUndefined();
  });

  it('waits for those that were started before it to be in sync again', () => {
    expect(startsNext(state(['n2', 'n3'], ['n2', 'n3']), ['n2', 'n3'])).toBe('n2');
    expect(startsNext(state(['n3'], ['n2', 'n3']), ['n2', 'n3'])).toBeUndefined();
    expect(startsNext(state(['n3'], ['n3']), ['n2', 'n3'])).toBe('n3');
  });

  it('is one that is impacted and silent, and everybody who is not is in every set, in any cluster', () => {
    fc.assert(
      fc.property(cluster, some, ({ replicaSets, silentNodes }, impacted) => {
        const next = startsNext(topologyWith({ replicaSets, silentNodes }), impacted);
        if (next === undefined) return;
        expect(impacted).toContain(next);
        expect(silentNodes).toContain(next);
        for (const name of NAMES.filter((each) => !(impacted.includes(each) && silentNodes.includes(each)))) {
          expect(silentNodes).not.toContain(name);
          for (const { members, inSync } of replicaSets)
            expect(!members.includes(name) || inSync.includes(name)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what the probe would not see', () => {
  it('is a fault on a broker that leads none of its partitions: it is refused with what to do', () => {
    const refuse = of('refuseUnmeasured');
    expect(refuse(merge(answers()), [node(1), node(3)])).toBeUndefined();
    const partitions = withPartitions(partition('holdfast-probe', 2, { leader: 1 }));
    expect(refuse(merge(answers({ partitions })), [node(1)])).toBeUndefined();
    expect(refuse(merge(answers({ partitions })), [node(1), node(3)])).toMatchObject({
      detail: expect.stringMatching(/^kafka-node-3 leads no partition of holdfast-probe, .*kafka-leader-election.sh/),
      numbers: { leadingNone: [node(3)] },
    });
  });
});

describe('the hosts of Kafka', () => {
  it('serve every listener, the clients’ first, and need no fence', () => {
    expect(engine.ports).toEqual([9092, 9094, 9095]);
    const several = {
      port: [9092, 9192],
      unit: 'kafka@{port}',
      kafka: { brokerPort: [9094, 9194], controllerPort: 9095 },
    };
    expect(kafkaEngine(kafkaCluster(several)).ports).toEqual([9092, 9192, 9094, 9194, 9095]);
    expect(engine.fences).toBe(false);
    expect(engine.fenceParameters({} as never, [])).toEqual({});
  });

  it('tell nobody when their broker was started', () => {
    expect(engine.tellsUptime).toBe(false);
  });
});
