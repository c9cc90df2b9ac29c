import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReplicaSet, StoreTopology } from '../../../functions/domain/topology.ts';
import { replicaRules } from '../../../functions/engines/replica-rules.ts';

const { refuseLoss, refuseDuring, startsNext } = replicaRules({
  noneKnown: 'nothing is known',
  beingMoved: (moved) => ({ detail: `moving ${moved.join()}`, numbers: {} }),
  tooFew: ([{ name }, ...others], kept, verb) => ({
    detail: `${name} ${verb} ${kept}`,
    numbers: { others: others.length },
  }),
});

const NAMES = Array.from({ length: 7 }, (_, index) => `n${index}`);
const some = fc.subarray(NAMES);
const set = fc.record({
  members: fc.subarray(NAMES, { minLength: 1, maxLength: 6 }),
  out: some,
  minInSync: fc.integer({ min: 0, max: 4 }),
  moved: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
});
const cluster = fc
  .record({ sets: fc.array(set, { minLength: 1, maxLength: 6 }), silent: some })
  .map(({ sets, silent }): { replicaSets: ReplicaSet[]; silentNodes: string[] } => ({
    silentNodes: silent,
    replicaSets: sets.map(({ members, out, minInSync, moved }, index) => ({
      ...{ name: `s-${index}`, members, minInSync, inSync: members.filter((name) => !out.includes(name)) },
      ...(moved ? { isReassigned: true } : {}),
    })),
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

  it('is unknown, and refused, where nothing is known', () => {
    expect(refuseLoss(topologyWith({}), ['n1'])).toEqual({ detail: 'nothing is known', numbers: {} });
  });
});

describe('while the fault lives', () => {
  it('the impacted may be gone, nobody else, and nothing moves: as judged by whoever counts node by node', () => {
    fc.assert(
      fc.property(cluster, some, (given, impacted) => {
        const expected =
          given.silentNodes.every((name) => impacted.includes(name)) &&
          given.replicaSets.every((each) => each.isReassigned !== true && survives(each, impacted, false));
        expect(refuseDuring(topologyWith(given), impacted) === undefined).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a node that ended itself', () => {
  const state = (silentNodes: string[], out: string[]) => {
    const members = ['n1', 'n2', 'n3'];
    const inSync = members.filter((name) => !out.includes(name));
    return topologyWith({ silentNodes, replicaSets: [{ name: 's', members, inSync, minInSync: 2 }] });
  };

  it('is brought back while every other is well, and never one that no fault was on', () => {
    expect(startsNext(state(['n3'], ['n3']), ['n3'])).toBe('n3');
    expect(startsNext(state(['n3'], ['n3']), ['n2'])).toBeUndefined();
    expect(startsNext(state([], []), ['n3'])).toBeUndefined();
    expect(startsNext(state(['n2', 'n3'], ['n2', 'n3']), ['n3'])).toBeUndefined();
    expect(startsNext(state(['n3'], ['n1', 'n3']), ['n3'])).toBeUndefined();
    expect(startsNext(topologyWith({ silentNodes: ['n3'] }), ['n3'])).toBeUndefined();
  });

  it('waits for those that were brought back before it to hold their data again', () => {
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
