import { describe, expect, it } from 'vitest';
import { probedShards, shardsHitBy } from '../../../functions/domain/probed-shards.ts';
import type { TargetNode } from '../../../functions/domain/targets.ts';
import { faultWith, hostFault } from './experiment-fixtures.ts';
import { roleIn, targetNode } from './target-fixtures.ts';

const node = (name: string, ...shards: string[]) =>
  targetNode(1, { name, instanceId: `i-${name}`, roles: shards.map((shard) => roleIn(shard)) });
const [a, b, c, other] = [node('a', 'one'), node('b', 'two'), node('c', 'two'), node('x', 'two')];
const resolved = (number: number, impacted: TargetNode[], shardMembers: TargetNode[]) => ({
  ...{ faultId: `exp.${number}`, impacted, peers: [], shardMembers },
});
const faults = [hostFault(1, 20), hostFault(2, 0), hostFault(3, 0, 'redis-other')];
const [first = hostFault(1, 0)] = faults;
const namesOf = (shards: ReturnType<typeof probedShards>) =>
  shards.map(({ cluster, shard, members, impacted }) => [
    `${shard} of ${cluster}`,
    members.map(({ name }) => name),
    impacted.map(({ name }) => name),
  ]);

describe('the probed shards', () => {
  it('are all in which a fault hits a node, each once, with every node of it that any fault hits', () => {
    const targets = [resolved(1, [b, a], [a, b, c]), resolved(2, [c, a], [a, b, c]), resolved(3, [other], [other])];
    expect(namesOf(probedShards(faults, targets))).toEqual([
      ['two of redis-master', ['b', 'c'], ['b', 'c']],
      ['one of redis-master', ['a'], ['a']],
      ['two of redis-other', ['x'], ['x']],
    ]);
  });

  it('are all of a node that has a part in several', () => {
    const both = node('d', 'two', 'one');
    expect(shardsHitBy(first, [resolved(1, [both], [a, b, both])])).toEqual(['two', 'one']);
  });

  it('are those of every node on a host that is hit as a whole, and of the named one where only a process is', () => {
    const neighbour = { ...c, instanceId: a.instanceId };
    const targets = [resolved(1, [a], [a, b, neighbour])];
    expect(namesOf(probedShards([first], targets))).toEqual([
      ['one of redis-master', ['a'], ['a']],
      ['two of redis-master', ['b', 'c'], ['c']],
    ]);
    expect(shardsHitBy(faultWith({ kind: 'PROCESS_PAUSE', targetNodes: ['a'] }), targets)).toEqual(['one']);
  });

  it('are none that no client reads or writes, whose health counts all the same', () => {
    const voter = { ...a, roles: [...a.roles, { ...roleIn('quorum'), unprobed: true as const }] };
    const targets = [resolved(1, [voter], [voter])];
    expect(namesOf(probedShards([first], targets))).toEqual([['one of redis-master', ['a'], ['a']]]);
    expect(shardsHitBy(first, targets)).toEqual(['one', 'quorum']);
  });

  it('do not exist without resolved targets', () => {
    expect(probedShards(faults, [])).toEqual([]);
  });
});
