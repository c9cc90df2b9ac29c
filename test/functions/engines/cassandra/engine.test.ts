import { describe, expect, it } from 'vitest';
import type { ReplicaSet, StoreTopology } from '../../../../functions/domain/topology.ts';
import { cassandraEngine } from '../../../../functions/engines/cassandra/engine.ts';
import { cassandraCluster } from './fixtures.ts';

const {
  refuseLoss,
  refuseDuring: during,
  settlesAfter,
  ports,
} = cassandraEngine(cassandraCluster({ tlsStoragePort: 7001 }));
if (!during) throw new Error('no refuseDuring');
const refuseDuring = during;

const topologyWith = (change: Partial<StoreTopology>): StoreTopology => ({
  ...{ shards: [], advertisedAddresses: {}, problems: [], ...change },
});

const range = (change: Partial<ReplicaSet> = {}): ReplicaSet => ({
  ...{ name: 'orders-dc1', members: ['n1', 'n2', 'n3'], inSync: ['n1', 'n2', 'n3'], minInSync: 2 },
  ...{ neededFor: 'QUORUM', ...change },
});

describe('what token ranges survive', () => {
  it('is refused with the level that would not be kept, and the numbers behind it', () => {
    const topology = topologyWith({ replicaSets: [range(), range({ name: 'orders-dc2' })] });
    expect(refuseLoss(topology, ['n1'])).toBeUndefined();
    expect(refuseLoss(topology, ['n1', 'n2'])).toEqual({
      detail: 'orders-dc1 would keep 1 of 3 replicas alive: QUORUM needs 2, and so have 1 others',
      numbers: {
        ...{ replicaSet: 'orders-dc1', replicas: 3, liveReplicas: 3, remainingReplicas: 1, neededReplicas: 2 },
        replicaSetsConcerned: 2,
      },
    });
  });

  it('counts who is down already, and a keyspace with one replica', () => {
    const behind = topologyWith({ replicaSets: [range({ inSync: ['n1', 'n2'] })] });
    expect(refuseLoss(behind, ['n1'])?.detail).toMatch(/^orders-dc1 would keep 1 of 3/);
    expect(refuseLoss(behind, ['n3'])).toBeUndefined();
    const lone = topologyWith({ replicaSets: [range({ members: ['n3'], inSync: ['n3'], minInSync: 1 })] });
    expect(refuseLoss(lone, ['n3'])?.detail).toMatch(/would keep 0 of 1/);
    expect(refuseLoss(lone, ['n1'])).toBeUndefined();
  });

  it('is unknown, and refused, where no token range is known', () => {
    expect(refuseLoss(topologyWith({}), ['n1'])?.detail).toBe('no token range is known');
  });
});

describe('while a fault lives', () => {
  it('bears the silence of a node that no fault is on for a moment, and streaming not at all', () => {
    const silent = refuseDuring(topologyWith({ replicaSets: [range()], silentNodes: ['n1', 'n2'] }), ['n1']);
    expect(silent).toMatchObject({ detail: 'n2 does not answer, and no fault is on it', forSeconds: 3 });
    const streaming = refuseDuring(topologyWith({ replicaSets: [range({ isReassigned: true })] }), ['n1']);
    expect(streaming?.detail).toBe('data are being streamed, of 1 sets of replicas, the first is orders-dc1');
    expect(streaming?.forSeconds).toBeUndefined();
    expect(refuseDuring(topologyWith({}), ['n1'])?.detail).toBe('no token range is known');
  });
});

describe('a clock that was ahead', () => {
  const settling = (offsetMs: number) =>
    settlesAfter?.([
      { faultId: 'exp.1', impactedNodes: ['n1'], parameters: { kind: 'CLOCK_DRIFT', targetNodes: ['n1'], offsetMs } },
    ]);

  it('is waited for as long as it was ahead, because the node goes on from its last time stamp', () => {
    expect(settling(30_000)).toMatchObject([{ faultId: 'exp.1', nodes: ['n1'], seconds: 30 }]);
    expect(settling(100)?.[0]?.why).toMatch(/up to 100 ms ahead/);
  });

  it('leaves nothing where it was behind, nor does any other fault', () => {
    expect(settling(-400)).toEqual([]);
    const parameters = { kind: 'PROCESS_PAUSE' as const, targetNodes: ['n1'] };
    expect(settlesAfter?.([{ faultId: 'exp.1', impactedNodes: ['n1'], parameters }])).toEqual([]);
  });
});

it('serves clients on its port, and nodes on the ports between them', () => {
  expect(ports).toEqual([9042, 7000, 7001]);
});
