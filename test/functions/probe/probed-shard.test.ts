import { describe, expect, it } from 'vitest';
import type { TargetNode } from '../../../functions/domain/targets.ts';
import { probedShard } from '../../../functions/probe/probed-shard.ts';
import { experimentOf, hostFault } from '../domain/experiment-fixtures.ts';
import { roleIn, targetNode } from '../domain/target-fixtures.ts';

const node = (name: string, ...shards: string[]) =>
  targetNode(1, { name, instanceId: `i-${name}`, roles: shards.map((shard) => roleIn(shard)) });
const [a, b, c, other] = [node('a', 'one'), node('b', 'two'), node('c', 'two'), node('x', 'two')];
const resolved = (number: number, impacted: TargetNode[], shardMembers: TargetNode[]) => ({
  ...{ faultId: `exp.${number}`, impacted, peers: [], shardMembers },
});
const experiment = experimentOf([hostFault(1, 20), hostFault(2, 0), hostFault(3, 0, 'redis-other')]);

describe('the probed shard', () => {
  it("is that of the first fault's first node, with every impacted node there of any fault of its cluster", () => {
    const faults = [resolved(1, [b, a], [a, b, c]), resolved(2, [c, a], [a, b, c]), resolved(3, [other], [other])];
    const chosen = probedShard(experiment, { faults, exemptAddresses: {} });
    expect(chosen.shard).toBe('two');
    expect(chosen.members.map(({ name }) => name)).toEqual(['b', 'c']);
    expect(chosen.impacted.map(({ name }) => name)).toEqual(['b', 'c']);
  });

  it('is the first one of a node that has a part in several', () => {
    const both = node('d', 'two', 'one');
    const faults = [resolved(1, [both], [a, b, both])];
    const chosen = probedShard(experiment, { faults, exemptAddresses: {} });
    expect([chosen.shard, chosen.members.map(({ name }) => name)]).toEqual(['two', ['b', 'd']]);
  });

  it('does not exist without resolved targets', () => {
    expect(() => probedShard(experiment, undefined)).toThrow(/targets/);
    expect(() => probedShard(experiment, { faults: [], exemptAddresses: {} })).toThrow(/targets/);
  });
});
