import { describe, expect, it } from 'vitest';
import { kafkaEngine } from '../../../../functions/engines/kafka/engine.ts';
import { answer, answers, kafkaCluster, merge, node, partition, withPartitions } from './fixtures.ts';

const engine = kafkaEngine(kafkaCluster());
const { refuseLoss } = engine;
/** Required of this engine, optional of the port. */
const of = <K extends 'refuseDuring' | 'refuseUnmeasured'>(name: K) => {
  const member = engine[name];
  if (!member) throw new Error(`no ${name}`);
  return member as NonNullable<(typeof engine)[K]>;
};
const refuseDuring = of('refuseDuring');

describe('what replication survives', () => {
  it('is refused with the partition and the numbers behind it', () => {
    expect(refuseLoss(merge(answers()), [node(1)])).toBeUndefined();
    const voters = [100, 101, 102].map((id) => ({ id, silentMs: 0 }));
    const apart = merge(answers({ quorum: { leader: 100, epoch: 1, voters } }));
    expect(refuseLoss(apart, [node(1), node(2)])).toEqual({
      detail:
        '__consumer_offsets-0 would keep 1 of 3 replicas in sync: its min.insync.replicas is 2, and so have 8 others',
      numbers: {
        ...{ partition: '__consumer_offsets-0', replicas: 3, inSyncReplicas: 3, remainingInSyncReplicas: 1 },
        ...{ minInsyncReplicas: 2, partitionsConcerned: 9 },
      },
    });
  });

  it('is refused for the majority of the controllers first, where brokers are controllers too', () => {
    expect(refuseLoss(merge(answers()), [node(1), node(2)])?.detail).toBe(
      'quorum would keep 1 of 3 controllers: not a majority; partitions would keep too few replicas too',
    );
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
      numbers: { quorumVoters: 3, remainingVoters: 1, majority: 2, partitionsConcerned: 0 },
    });
    expect(refuseLoss(topology, [node(2)])).toBeUndefined();
  });

  it('is unknown, and refused, where no partition is known', () => {
    expect(refuseLoss(merge([]), [node(1)])).toEqual({ detail: 'no partition is known', numbers: {} });
  });
});

describe('while the fault lives', () => {
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
