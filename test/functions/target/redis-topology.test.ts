import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../functions/experiment/experiment.ts';
import type { LiveNode } from '../../../functions/target/ec2-nodes.ts';
import { parseInfo, records } from '../../../functions/target/redis-store.ts';
import { mergeTopology, type RedisView, type SentinelView } from '../../../functions/target/redis-topology.ts';
import { resolveTargets } from '../../../functions/target/resolve-targets.ts';
import { topologyProblems } from '../../../functions/target/store.ts';

const nodes: LiveNode[] = [1, 2, 3].map((number) => ({
  name: `redis-node-${number}`,
  instanceId: `i-${number}`,
  addresses: [`10.78.0.1${number}`, `10.77.0.1${number}`],
}));
const ip = (number: number) => `10.77.0.1${number}`;
const peer = (number: number, ...flags: string[]) => ({ ip: ip(number), port: 6379, flags });

/** Three nodes that agree that `master` is the master. */
function shard(master = 3) {
  const others = [1, 2, 3].filter((number) => number !== master);
  const sentinels = [1, 2, 3].map((number) => ({
    node: `redis-node-${number}`,
    masters: [
      {
        name: 'shard-1',
        ...peer(master, 'master'),
        replicas: others.map((other) => peer(other, 'slave')),
        sentinels: [1, 2, 3].filter((other) => other !== number).map((other) => peer(other, 'sentinel')),
      },
    ],
  }));
  const redises: RedisView[] = [1, 2, 3].map((number) =>
    number === master
      ? { node: `redis-node-${number}`, role: 'master' }
      : { node: `redis-node-${number}`, role: 'slave', masterHost: ip(master), masterLinkStatus: 'up' },
  );
  return { sentinels, redises };
}

const silent = (number: number) => ({ node: `redis-node-${number}`, problem: 'timeout' });

describe('redis topology', () => {
  it('is healthy when all Sentinels and all Redis processes agree', () => {
    const { sentinels, redises } = shard();
    const topology = mergeTopology(nodes, sentinels, redises);
    expect(topologyProblems(topology)).toEqual([]);
    expect(topology.shards).toEqual([
      {
        name: 'shard-1',
        master: 'redis-node-3',
        replicas: ['redis-node-1', 'redis-node-2'],
        healthy: true,
        problems: [],
      },
    ]);
    expect(topology.advertisedAddresses['redis-node-1']).toBe(ip(1));
  });

  it('names no master when two Sentinels disagree', () => {
    const { sentinels, redises } = shard();
    const views: SentinelView[] = [
      sentinels[0] ?? silent(1),
      sentinels[1] ?? silent(2),
      shard(1).sentinels[2] ?? silent(3),
    ];
    const [merged] = mergeTopology(nodes, views, redises).shards;
    expect(merged?.healthy).toBe(false);
    expect(merged?.master).toBeUndefined();
    expect(merged?.problems.join()).toMatch(/disagree.*redis-node-3 says redis-node-1/);
  });

  it.each<[string, (world: { sentinels: SentinelView[]; redises: RedisView[] }) => void, RegExp]>([
    ['a Sentinel is silent', (world) => (world.sentinels[2] = silent(3)), /Sentinel of redis-node-3: timeout/],
    ['a Redis is silent', (world) => (world.redises[0] = silent(1)), /redis-node-1 does not answer/],
    ['a Redis was not asked', (world) => world.redises.pop(), /redis-node-3 was not asked/],
    [
      'the master says it is a replica',
      (world) => (world.redises[2] = { node: 'redis-node-3', role: 'slave' }),
      /says slave/,
    ],
    [
      'an ex-master still says master',
      (world) => (world.redises[0] = { node: 'redis-node-1', role: 'master' }),
      /named replica but says master/,
    ],
    [
      'a replica has lost its link',
      (world) =>
        (world.redises[0] = { node: 'redis-node-1', role: 'slave', masterHost: ip(3), masterLinkStatus: 'down' }),
      /link to the master down/,
    ],
    [
      'a replica follows another node',
      (world) =>
        (world.redises[0] = { node: 'redis-node-1', role: 'slave', masterHost: ip(2), masterLinkStatus: 'up' }),
      /not the master/,
    ],
  ])('is not healthy when %s', (_what, spoil, problem) => {
    const world: { sentinels: SentinelView[]; redises: RedisView[] } = shard();
    spoil(world);
    expect(topologyProblems(mergeTopology(nodes, world.sentinels, world.redises)).join('\n')).toMatch(problem);
  });

  it.each(['s_down', 'o_down', 'disconnected'])('is not healthy when anyone is flagged %s', (flag) => {
    const { sentinels, redises } = shard();
    const [first] = sentinels;
    first?.masters[0]?.replicas.splice(0, 1, peer(1, 'slave', flag));
    expect(mergeTopology(nodes, sentinels, redises).shards[0]?.healthy).toBe(false);
  });

  it('is not healthy when nobody answers or a node has no shard', () => {
    expect(
      topologyProblems(
        mergeTopology(
          nodes,
          nodes.map((_, at) => silent(at + 1)),
          [],
        ),
      ),
    ).not.toEqual([]);
    const { sentinels, redises } = shard();
    const stranger = { name: 'redis-node-9', instanceId: 'i-9', addresses: ['10.77.0.19'] };
    const problems = topologyProblems(mergeTopology([...nodes, stranger], sentinels, redises));
    expect(problems).toEqual(['store: redis-node-9 belongs to no shard that a Sentinel knows']);
  });

  it('reads what Sentinel and INFO answer', () => {
    expect(records([['name', 'shard-1', 'ip', '10.77.0.13']])).toEqual([{ name: 'shard-1', ip: '10.77.0.13' }]);
    expect(() => records('OK')).toThrow(/list/);
    expect(parseInfo('# Replication\r\nrole:slave\r\nmaster_host:fd00::1\r\n')).toEqual({
      role: 'slave',
      master_host: 'fd00::1',
    });
  });
});

describe('resolve targets', () => {
  const { sentinels, redises } = shard();
  const topology = mergeTopology(nodes, sentinels, redises);
  const fault = (impacted: string, ...groupA: string[]): Fault => ({
    faultId: 'exp.1',
    kind: 'NETWORK_PARTITION',
    cluster: 'redis-master',
    impactedNodes: [impacted],
    parameters: { kind: 'NETWORK_PARTITION', scope: 'isolate', packetLossPct: 100, groupA, groupB: [impacted] },
  });
  const seed = fault('redis-node-3', 'redis-node-1', 'redis-node-2');

  it('gives every node its role, its shard and the address its store advertises first', () => {
    const [resolved] = resolveTargets([seed], nodes, topology, ['10.77.0.3']).faults;
    expect(resolved?.impacted).toEqual([
      { name: 'redis-node-3', instanceId: 'i-3', addresses: [ip(3), '10.78.0.13'], shard: 'shard-1', role: 'master' },
    ]);
    expect(resolved?.peers.map((node) => node.name)).toEqual(['redis-node-1', 'redis-node-2']);
    expect(resolved?.shardMembers).toHaveLength(3);
  });

  it('refuses a name that is not live', () => {
    expect(() => resolveTargets([fault('redis-node-8')], nodes, topology, [])).toThrow(
      /redis-node-8 is not a live node/,
    );
  });

  it('refuses a node whose role is not certain', () => {
    const views = [...sentinels.slice(0, 2), ...shard(1).sentinels.slice(2)];
    const torn = mergeTopology(nodes, views, redises);
    expect(() => resolveTargets([seed], nodes, torn, [])).toThrow(/no certain role.*disagree/);
  });

  it('refuses to cut a peer that telemetry lives on', () => {
    expect(() => resolveTargets([seed], nodes, topology, ['10.78.0.12'])).toThrow(/telemetry lives on a peer/);
  });
});
