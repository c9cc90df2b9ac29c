import { describe, expect, it } from 'vitest';
import { topologyProblems } from '../../../../functions/domain/topology.ts';
import { cassandraEngine } from '../../../../functions/engines/cassandra/engine.ts';
import {
  answer,
  answers,
  cassandraCluster,
  KEYSPACES,
  keyspace,
  liveNode,
  member,
  merge,
  node,
  seen,
  silent,
} from './fixtures.ts';

describe('a healthy Cassandra', () => {
  it('has a shard for each datacenter of the probe’s keyspace, in which each is a seed or a replica', () => {
    const topology = merge(answers());
    expect(topologyProblems(topology)).toEqual([]);
    expect(topology.warnings).toEqual([]);
    expect(topology.shards).toEqual([
      {
        name: 'holdfast_probe-dc1',
        members: [
          { node: node(1), role: 'seed' },
          { node: node(2), role: 'seed' },
          { node: node(3), role: 'replica' },
        ],
        problems: [],
      },
    ]);
    expect(topology.advertisedAddresses[node(3)]).toBe('10.77.0.53');
    expect(topology.silentNodes).toEqual([]);
  });

  it('keeps of every keyspace what its level asks for, the logins among them, and of its own traces nothing', () => {
    expect(merge(answers()).replicaSets).toEqual(
      [
        ['holdfast_probe-dc1', 'QUORUM of holdfast_probe'],
        ['orders-dc1', 'QUORUM of orders'],
        ['system_auth-dc1', 'LOCAL_QUORUM of system_auth'],
      ].map(([name, neededFor]) => ({
        ...{ name, neededFor, memberRole: 'replica', minInSync: 2 },
        ...{ members: [1, 2, 3].map(node), inSync: [1, 2, 3].map(node) },
      })),
    );
  });

  it('says who stands where', () => {
    const names = { 'dc1:r1': [1], 'dc1:r2': [2], 'dc1:r3': [3], dc1: [1, 2, 3] };
    const places = Object.entries(names).map(([name, ids]) => ({ name, members: ids.map(node) }));
    expect(merge(answers()).places).toEqual(expect.arrayContaining(places));
  });
});

describe('a heartbeat', () => {
  it('that stands still in anybody’s view is a problem, whatever the node said last, and takes its role', () => {
    const topology = merge(answers(), { memory: seen({ [node(1)]: [3], [node(2)]: [3] }) });
    expect(topologyProblems(topology)).toEqual([
      `store: ${node(3)} has stood still for 7.5 s, as ${node(1)}, ${node(2)} sees it`,
    ]);
    expect(topology.shards[0]?.members[2]).toEqual({ node: node(3) });
    expect(topology.replicaSets?.[0]?.inSync).toEqual([1, 2].map(node));
  });

  it('that one of two others does not see is no longer healthy, but still counts as a copy', () => {
    const topology = merge(answers(), { memory: seen({ [node(1)]: [3] }) });
    expect(topologyProblems(topology)).toEqual([`store: ${node(3)} has stood still for 7.5 s, as ${node(1)} sees it`]);
    expect(topology.replicaSets?.[0]?.inSync).toEqual([1, 2, 3].map(node));
  });

  it('of a node that was cut off counts for nobody: what it sees stand still is there', () => {
    const views = answers();
    const memory = seen({ [node(1)]: [2, 3], [node(2)]: [1], [node(3)]: [1] });
    const topology = merge(views, { memory });
    expect(topology.replicaSets?.[0]?.inSync).toEqual([2, 3].map(node));
    const { refuseDuring } = cassandraEngine(cassandraCluster());
    expect(refuseDuring?.(topology, [node(1)])).toBeUndefined();
    expect(refuseDuring?.(topology, [node(2)])?.detail).toMatch(/^holdfast_probe-dc1 has, .* 1 of 3 replicas alive/);
  });

  it('is moving of no node that alone can see itself', () => {
    const topology = merge([answer(1), silent(2), silent(3)]);
    expect(topology.problems).toContain(`nobody else says how ${node(1)} is`);
    expect(topology.shards[0]?.members.every(({ role }) => role === undefined)).toBe(true);
  });

  it('of who leaves or has shut down says so', () => {
    const heartbeats = answer(1).heartbeats.map((each) =>
      each.hostId === 'host-3' ? { ...each, status: 'LEAVING' } : each,
    );
    expect(merge([answer(1, { heartbeats }), answer(2), answer(3)]).problems).toEqual([
      `${node(3)} is LEAVING, as ${node(1)} sees it`,
    ]);
  });
});

describe('what is not well', () => {
  it.each([
    ['hints', { hints: [{ hostId: 'host-3', files: 2 }] }, `${node(1)} keeps hints for ${node(3)} (2 files)`],
    [
      'a stream',
      { streams: ['Bootstrap with /10.77.0.53:7000 (12 %)'] },
      `${node(1)} streams data: Bootstrap with /10.77.0.53:7000 (12 %)`,
    ],
    ['a repair', { repairs: ['orders', 'orders'] }, `${node(1)} repairs orders`],
    [
      'another schema',
      { schema: 'schema-2' },
      `nodes disagree on the schema: schema-2 on ${node(1)}; schema-1 on ${node(2)}, ${node(3)}`,
    ],
    [
      'a right that is missing',
      { problems: ['does not tell x: the user has no Y'] },
      `${node(1)} does not tell x: the user has no Y`,
    ],
    [
      'data elsewhere',
      { settings: { data_file_directories: '[/data/a, /data/b]' } },
      `${node(1)} has its data in /data/a, /data/b, and not in /var/lib/cassandra (dataDirectory)`,
    ],
    [
      'other seeds',
      { settings: { 'seed_provider.parameters': '{seeds=10.77.0.51,10.77.0.53}' } },
      `${node(1)} has the seeds 10.77.0.51,10.77.0.53, and cassandra.seeds says ${node(1)}, ${node(2)}`,
    ],
  ])('is a problem: %s', (_what, change, problem) => {
    expect(merge([answer(1, change), answer(2), answer(3)]).problems).toEqual([problem]);
  });

  it('is a node that does not answer, and what others know of it stays known', () => {
    const topology = merge([answer(1), answer(2), silent(3, 'no answer within 2000 ms')]);
    expect(topology.problems).toEqual([`${node(3)} does not answer: no answer within 2000 ms`]);
    expect(topology.silentNodes).toEqual([node(3)]);
    expect(topology.shards[0]?.members[2]).toEqual({ node: node(3) });
    expect(topology.replicaSets?.[0]?.inSync).toEqual([1, 2, 3].map(node));
  });

  it('ends a fault at once where data are streamed, and only there', () => {
    const topology = merge([answer(1, { streams: ['Rebuild'] }), answer(2), answer(3)]);
    const { refuseDuring } = cassandraEngine(cassandraCluster());
    expect(refuseDuring?.(topology, [node(1)])?.detail).toMatch(/^data are being streamed/);
  });

  it('is a ring in which somebody is no live node, and a live node that is in no ring', () => {
    const stranger = member(9, { addresses: ['10.77.0.99'] });
    const topology = merge([answer(1, { peers: [member(2), stranger] }), answer(2, { peers: [member(1)] })], {
      nodes: [1, 2, 3].map(liveNode),
    });
    expect(topology.problems).toContain('host 10.77.0.99 is in the ring, and is no live node of the cluster');
    expect(topology.problems).toContain(
      `${node(3)} is in no ring that any other knows (broadcast_address, rpc_address)`,
    );
  });

  it('is a seed that is not there, and a probe without its table, with what makes it', () => {
    expect(merge(answers(), { cassandra: { seeds: [node(1), 'gone'] } }).problems[0]).toBe(
      'the seed gone is no live node (cassandra.seeds)',
    );
    const without = merge(answers({ keyspaces: [], hasProbeTable: false }));
    expect(without.shards).toEqual([]);
    expect(without.problems).toEqual([
      "there is no table holdfast_probe.probe for the probe: CREATE KEYSPACE IF NOT EXISTS holdfast_probe WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3}; CREATE TABLE IF NOT EXISTS holdfast_probe.probe (key text PRIMARY KEY, value text)",
    ]);
  });

  it('is a keyspace of which nobody knows where its data are', () => {
    const odd = [
      ...KEYSPACES,
      { name: 'odd', strategy: 'com.example.Mine', factors: {} },
      keyspace('thin', { dc1: '3/1' }),
    ];
    expect(merge(answers({ keyspaces: odd })).problems).toEqual([
      'nobody here knows which nodes hold odd (com.example.Mine): name it in cassandra.keyspaces with ANY',
      expect.stringMatching(/^nobody here knows which nodes hold thin .*dc1 3\/1/),
    ]);
  });

  it('is nothing but silence where nobody answers', () => {
    const topology = merge([1, 2, 3].map((id) => silent(id)));
    expect(topology.shards).toEqual([]);
    expect(topology.problems).toHaveLength(3);
    expect(topologyProblems(topology)[0]).toBe('store: no shard is known');
  });
});

it('warns of what makes a fault more dangerous than it need be', () => {
  const settings = {
    ...{ hinted_handoff_enabled: 'false', disk_failure_policy: 'ignore', stream_throughput_outbound: '0MiB/s' },
  };
  const keyspaces = [...KEYSPACES, keyspace('forgotten')];
  expect(merge(answers({ settings, keyspaces }), { cassandra: { seeds: [node(1)] } }).warnings).toEqual([
    expect.stringMatching(
      /^stream_throughput_outbound is 0, .*, on cassandra-node-1, cassandra-node-2, cassandra-node-3$/,
    ),
    expect.stringMatching(/^hinted_handoff_enabled is false/),
    expect.stringMatching(/^disk_failure_policy is ignore/),
    'forgotten counts with QUORUM: it is not in cassandra.keyspaces',
    `${node(1)} is the only seed, so no node could be added while it is away`,
  ]);
});

const BEFORE_5 = 'before Cassandra 5.0 only commitlog_compression prevents it';
const SINCE_5 = 'commitlog_disk_access_mode: direct prevents it';
it.each([
  [{ commitlog_disk_access_mode: 'mmap' }, SINCE_5],
  [{ commitlog_disk_access_mode: 'legacy' }, SINCE_5],
  [{ commitlog_disk_access_mode: 'auto', disk_optimization_strategy: 'spinning' }, SINCE_5],
  // 4.1 has no such setting, and does not start with one that it does not know.
  [{}, BEFORE_5],
  [{ 'commitlog_compression.class_name': 'LZ4Compressor' }, undefined],
  [{ commitlog_disk_access_mode: 'direct' }, undefined],
  [{ commitlog_disk_access_mode: 'standard' }, undefined],
  [{ commitlog_disk_access_mode: 'auto', disk_optimization_strategy: 'ssd' }, undefined],
  [{ commitlog_disk_access_mode: 'legacy', 'commitlog_compression.class_name': 'LZ4Compressor' }, undefined],
  [{ commitlog_disk_access_mode: 'legacy', 'transparent_data_encryption_options.enabled': 'true' }, undefined],
])('warns that a full volume may go unnoticed where the commit log is a memory map: %j', (change, remedy) => {
  const settings = { commitlog_directory: '/var/lib/cassandra/commitlog', ...change };
  const mapped = expect.stringMatching(
    new RegExp(`^the commit log is a memory map, .*; ${remedy}, on cassandra-node-1`),
  );
  expect(merge(answers({ settings })).warnings).toEqual(remedy === undefined ? [] : [mapped]);
});
