import { describe, expect, it } from 'vitest';
import { topologyProblems } from '../../../../functions/domain/topology.ts';
import { parseInfo } from '../../../../functions/engines/redis/connection.ts';
import { persistenceProblems } from '../../../../functions/engines/redis/persistence.ts';
import { records } from '../../../../functions/engines/redis/store.ts';
import { mergeTopology, type RedisView, type SentinelView } from '../../../../functions/engines/redis/topology.ts';
import { ip, liveNode, nodes, peer, shard, shardOf, twoOnOneHost } from '../../domain/target-fixtures.ts';

const silent = (number: number) => ({ node: `redis-node-${number}`, problem: 'timeout' });

describe('redis topology', () => {
  it('is healthy when all Sentinels and all Redis processes agree', () => {
    const { sentinels, redises } = shard();
    const topology = mergeTopology(nodes, sentinels, redises);
    expect(topologyProblems(topology)).toEqual([]);
    expect(topology.shards).toEqual([shardOf('shard-1', 'redis-node-3', 'redis-node-1', 'redis-node-2')]);
    expect(topology.advertisedAddresses['redis-node-1']).toBe(ip(1));
  });

  it('tells for how long each Redis has run, of those that tell', () => {
    const { sentinels, redises } = shard();
    const told = redises.map(
      (view): RedisView => (view.node === 'redis-node-2' ? { ...view, uptimeSeconds: 7 } : view),
    );
    expect(mergeTopology(nodes, sentinels, told).uptimeSeconds).toEqual({ 'redis-node-2': 7 });
  });

  it('gives no node a role when two Sentinels disagree on the master', () => {
    const { sentinels, redises } = shard();
    const views: SentinelView[] = [
      sentinels[0] ?? silent(1),
      sentinels[1] ?? silent(2),
      shard(1).sentinels[2] ?? silent(3),
    ];
    const [merged] = mergeTopology(nodes, views, redises).shards;
    expect(merged?.members.map(({ node }) => node)).toEqual(['redis-node-1', 'redis-node-2', 'redis-node-3']);
    for (const member of merged?.members ?? []) expect(member).not.toHaveProperty('role');
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
        (world.redises[0] = {
          node: 'redis-node-1',
          role: 'slave',
          masterHost: ip(3),
          masterPort: 6379,
          masterLinkStatus: 'down',
        }),
      /link to the master down/,
    ],
    [
      'a replica follows another node',
      (world) =>
        (world.redises[0] = {
          node: 'redis-node-1',
          role: 'slave',
          masterHost: ip(2),
          masterPort: 6379,
          masterLinkStatus: 'up',
        }),
      /not the master/,
    ],
    [
      'a replica could not save, so that it would refuse writes as a master',
      (world) => Object.assign(world.redises[0] ?? {}, { persistenceProblems: ['could not save: MISCONF'] }),
      /redis-node-1 could not save: MISCONF/,
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
    expect(mergeTopology(nodes, sentinels, redises).shards[0]?.problems.join()).toContain(flag);
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
    const stranger = liveNode(9);
    const problems = topologyProblems(mergeTopology([...nodes, stranger], sentinels, redises));
    expect(problems).toEqual(['store: redis-node-9 belongs to no shard that a Sentinel knows']);
  });

  describe('of two stores on one address', () => {
    const [lower, upper] = twoOnOneHost(1);
    const [elsewhere, upperElsewhere] = twoOnOneHost(2);
    const all = [lower, upper, elsewhere, upperElsewhere];
    const at = (number: number, port: number, ...flags: string[]) => ({ ip: ip(number), port, flags });
    /** Shard one on the lower ports, shard two on the upper ones, each led on host 1. */
    const masters = [6379, 6380].map((port, index) => ({
      ...{ name: `shard-${index + 1}`, ...at(1, port, 'master'), replicas: [at(2, port, 'slave')], sentinels: [] },
    }));
    const sentinels = all.map(({ name }): SentinelView => ({ node: name, masters }));
    const follower = ({ name, port }: { name: string; port: number }): RedisView => ({
      ...{ node: name, role: 'slave', masterHost: ip(1), masterPort: port, masterLinkStatus: 'up' },
    });
    const leaders = [lower, upper].map(({ name }): RedisView => ({ node: name, role: 'master' }));

    it('tells them apart by their port', () => {
      const topology = mergeTopology(all, sentinels, [...leaders, follower(elsewhere), follower(upperElsewhere)]);
      expect(topologyProblems(topology)).toEqual([]);
      expect(topology.shards).toEqual([
        shardOf('shard-1', lower.name, elsewhere.name),
        shardOf('shard-2', upper.name, upperElsewhere.name),
      ]);
      const advertised = all.map(({ name }) => topology.advertisedAddresses[name]);
      expect(advertised).toEqual([ip(1), ip(1), ip(2), ip(2)]);
    });

    it('finds them by the name of their host, where Sentinels announce names', () => {
      const named = (number: number, port: number, flag: string) => ({
        ...at(number, port, flag),
        ip: `redis-node-${number}`,
      });
      const views = all.map(
        ({ name }): SentinelView => ({
          ...{ node: name },
          masters: masters.map((master, index) => {
            const port = 6379 + index;
            return { ...master, ...named(1, port, 'master'), replicas: [named(2, port, 'slave')] };
          }),
        }),
      );
      const followers = [elsewhere, upperElsewhere].map((node) => ({ ...follower(node), masterHost: 'redis-node-1' }));
      const { shards } = mergeTopology(all, views, [...leaders, ...followers]);
      expect(shards.map(({ members }) => members.map(({ node }) => node))).toEqual([
        [lower.name, elsewhere.name],
        [upper.name, upperElsewhere.name],
      ]);
    });

    it('is not healthy when a replica follows the other store of the same address', () => {
      const astray = { ...follower(elsewhere), masterPort: 6380 };
      const topology = mergeTopology(all, sentinels, [...leaders, astray, follower(upperElsewhere)]);
      expect(topologyProblems(topology)).toEqual([`shard-1: ${elsewhere.name} follows ${ip(1)}, not the master`]);
    });

    it('does not take a port that no node has for one of them', () => {
      const strange = masters.map((master) => ({ ...master, replicas: [at(2, 6381, 'slave')] }));
      const views = all.map(({ name }): SentinelView => ({ node: name, masters: strange }));
      expect(topologyProblems(mergeTopology(all, views, leaders)).join('\n')).toContain(
        `${ip(2)}:6381 is not a live node of the cluster`,
      );
    });
  });

  it('calls a Redis that refuses writes by its name, and one that saved well not', () => {
    expect(persistenceProblems({ rdb_last_bgsave_status: 'ok', aof_last_write_status: 'ok' })).toEqual([]);
    expect(persistenceProblems({ rdb_last_bgsave_status: 'err', aof_last_write_status: 'ok' })).toHaveLength(1);
    expect(persistenceProblems({ rdb_last_bgsave_status: 'err', aof_last_write_status: 'err' })).toHaveLength(2);
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
