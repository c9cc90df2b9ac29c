import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReplicaSet, StoreTopology } from '../../../../functions/domain/topology.ts';
import { cassandraEngine } from '../../../../functions/engines/cassandra/engine.ts';
import { cassandraCluster } from './fixtures.ts';

const {
  refuseLoss,
  refuseDuring: during,
  settlesAfter,
  startsNext,
  ports,
} = cassandraEngine(cassandraCluster({ tlsStoragePort: 7001 }));
if (!during) throw new Error('no refuseDuring');
const refuseDuring = during;

const NAMES = Array.from({ length: 7 }, (_, index) => `n${index}`);
const some = fc.subarray(NAMES);
const set = fc.record({
  members: fc.subarray(NAMES, { minLength: 1, maxLength: 6 }),
  down: some,
  minInSync: fc.integer({ min: 0, max: 4 }),
  streams: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
});
const cluster = fc
  .record({ sets: fc.array(set, { minLength: 1, maxLength: 6 }), silent: some })
  .map(({ sets, silent }) => ({
    silentNodes: silent,
    replicaSets: sets.map(
      ({ members, down, minInSync, streams }, index): ReplicaSet => ({
        ...{ name: `k-dc1-${index}`, members, minInSync, memberRole: 'replica' },
        inSync: members.filter((name) => !down.includes(name)),
        ...(streams ? { isReassigned: true } : {}),
      }),
    ),
  }));
const topologyWith = (change: Partial<StoreTopology>): StoreTopology => ({
  ...{ shards: [], advertisedAddresses: {}, problems: [], ...change },
});

/** Written from the sentences of the port, one node and one set at a time. */
function survives({ members, inSync, minInSync }: ReplicaSet, gone: readonly string[], ifTouchedOnly: boolean) {
  let [touched, left] = [false, 0];
  for (const member of members) {
    if (gone.includes(member)) touched = true;
    else if (inSync.includes(member)) left += 1;
  }
  return (ifTouchedOnly && !touched) || (left > 0 && left >= minInSync);
}

const range = (change: Partial<ReplicaSet> = {}): ReplicaSet => ({
  ...{ name: 'orders-dc1', members: ['n1', 'n2', 'n3'], inSync: ['n1', 'n2', 'n3'], minInSync: 2 },
  ...{ neededFor: 'QUORUM', ...change },
});

describe('what token ranges survive', () => {
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
  it('ends it for what is not the fault’s own, as by whoever counts one by one', () => {
    fc.assert(
      fc.property(cluster, some, (given, impacted) => {
        const expected =
          given.silentNodes.every((name) => impacted.includes(name)) &&
          given.replicaSets.every((each) => each.isReassigned !== true && survives(each, impacted, false));
        expect(refuseDuring(topologyWith(given), impacted) === undefined).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('bears the silence of a node that no fault is on for a moment, and streaming not at all', () => {
    const silent = refuseDuring(topologyWith({ replicaSets: [range()], silentNodes: ['n1', 'n2'] }), ['n1']);
    expect(silent).toMatchObject({ detail: 'n2 does not answer, and no fault is on it', forSeconds: 3 });
    const streaming = refuseDuring(topologyWith({ replicaSets: [range({ isReassigned: true })] }), ['n1']);
    expect(streaming?.detail).toBe('data are being streamed, of 1 sets of replicas, the first is orders-dc1');
    expect(streaming?.forSeconds).toBeUndefined();
    expect(refuseDuring(topologyWith({}), ['n1'])?.detail).toBe('no token range is known');
  });
});

describe('a node that ended or shut itself', () => {
  const next = (change: Partial<StoreTopology>, impacted = ['n1', 'n2']) =>
    startsNext?.(topologyWith({ replicaSets: [range({ inSync: ['n2', 'n3'] })], ...change }), impacted);

  it('is started while every other is well, one at a time, and never one that no fault was on', () => {
    expect(next({ silentNodes: ['n1'] })).toBe('n1');
    expect(next({ silentNodes: ['n1'] }, ['n2'])).toBeUndefined();
    expect(next({ silentNodes: ['n1', 'n3'] })).toBeUndefined();
    expect(next({ silentNodes: ['n2'] })).toBeUndefined();
    expect(next({ silentNodes: ['n2', 'n1'] })).toBe('n2');
    expect(next({ silentNodes: [] })).toBeUndefined();
    expect(next({ silentNodes: ['n1'], replicaSets: [] })).toBeUndefined();
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
