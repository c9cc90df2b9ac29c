import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ALL_HOSTS, chooseFleets, fleetsTagged, loadBeside, optionsFor, setUpsOf } from '../../../lab/fleet/fleet.ts';
import configuration from '../../../lab/holdfast.config.ts';

const FLEET = join(import.meta.dirname, '../../../lab/fleet/fleet.ts');

/** What a process of a lab with this list says of itself. */
function fleetOf(list: string): { hosts: string[]; shards: string[] } {
  const program = `import { FLEET_HOSTS, SHARDS } from ${JSON.stringify(FLEET)};
    console.log(JSON.stringify({ hosts: FLEET_HOSTS.map(({ name }) => name), shards: SHARDS }));`;
  const env = { ...process.env, LAB_ENGINES: list };
  const argv = ['--input-type=module', '--eval', program];
  return JSON.parse(execFileSync(process.execPath, argv, { env, encoding: 'utf8', stdio: 'pipe' }));
}

test('a lab has redis unless other engines are named, whatever their order and spaces', () => {
  expect(chooseFleets(undefined, { tls: false })).toEqual(['redis']);
  expect(chooseFleets('kafka', { tls: false })).toEqual(['kafka']);
  expect(chooseFleets('kafka, redis', { tls: false })).toEqual(['redis', 'kafka']);
  expect(chooseFleets(undefined, { tls: true })).toEqual(['redis', 'redis-tls']);
  expect(chooseFleets('cassandra,kafka,redis', { tls: true })).toEqual(['redis', 'redis-tls', 'kafka', 'cassandra']);
  expect(chooseFleets('kafka-disposable,redis', { tls: false })).toEqual(['redis', 'kafka-disposable']);
});

test('an engine that no lab has is refused by naming those there are', () => {
  for (const wrong of ['scylla', 'redis,scylla', 'redis-tls', '', 'redis,', 'toString'])
    expect(() => chooseFleets(wrong, { tls: false }), wrong).toThrow(
      /^--engines: ".*" is none of redis, kafka, kafka-disposable, cassandra, cassandra-replaceable$/,
    );
  expect(() => chooseFleets('kafka', { tls: false, datacenters: '2' })).toThrow(
    '--datacenters: are of cassandra, which --engines leaves out',
  );
  expect(() => chooseFleets('kafka,kafka-disposable', { tls: false })).toThrow(
    'no lab has both kafka and kafka-disposable: they are the same hosts',
  );
  for (const wrong of ['0', '3', 'dc1', ''])
    expect(() => chooseFleets('cassandra', { tls: false, datacenters: wrong })).toThrow(
      `--datacenters: ${JSON.stringify(wrong)} is none of 1, 2`,
    );
  expect(() => chooseFleets('kafka', { tls: true })).toThrow(
    '--tls: adds a shard to redis, which --engines leaves out',
  );
});

test('the options that are named in a refusal start what they are said to start', () => {
  const asked = (options: string) => {
    const [, list] = /--engines (\S+)/.exec(options) ?? [];
    const [, datacenters] = /--datacenters (\S+)/.exec(options) ?? [];
    return chooseFleets(list, {
      tls: options.includes('--tls'),
      datacenters,
    });
  };
  for (const fleets of [
    ['redis'],
    ['kafka'],
    ['redis', 'kafka'],
    ['redis', 'redis-tls'],
    ['redis', 'redis-tls', 'kafka'],
    ['cassandra'],
    ['cassandra-datacenters'],
    ['kafka-disposable'],
    ['redis', 'kafka-disposable', 'cassandra'],
    ['redis', 'kafka', 'cassandra-datacenters'],
  ] as const)
    expect(asked(optionsFor(fleets))).toEqual(fleets);
});

test('engines of one lab share the load that one alone bears, however many fleets an engine has', () => {
  for (const fleets of [['redis'], ['redis', 'redis-tls'], ['cassandra-datacenters'], ['kafka-disposable']] as const)
    expect(loadBeside(1000, fleets)).toBe(1000);
  expect(loadBeside(1000, ['redis', 'redis-tls', 'kafka'])).toBe(500);
  expect(loadBeside(900, ['redis', 'kafka', 'cassandra-datacenters'])).toBe(300);
});

test('every process of a lab knows its hosts by the one list in its environment', () => {
  expect(fleetOf('kafka').hosts).toEqual(['kafka-node-1', 'kafka-node-2', 'kafka-node-3']);
  const both = fleetOf('kafka,redis-tls,redis');
  expect(both.hosts).toHaveLength(18);
  expect(both.shards).toEqual([
    'shard-1',
    'shard-2',
    'shard-3',
    'shard-4',
    'tls-shard-1',
    'orders-0',
    'orders-1',
    'orders-2',
  ]);
  expect(() => fleetOf('redis,else')).toThrow(
    'LAB_ENGINES: "else" is none of redis, redis-tls, kafka, kafka-disposable, cassandra, cassandra-replaceable, cassandra-datacenters',
  );
});

test('each cluster of the lab has hosts in a fleet, so that what an experiment needs can be started', () => {
  for (const [name, { selectTags }] of Object.entries(configuration.clusters))
    expect(fleetsTagged([selectTags]), name).not.toEqual([]);
  expect(fleetsTagged([{ 'holdfast-cluster': 'redis-tls' }])).toEqual(['redis', 'redis-tls']);
  expect(fleetsTagged([{ 'holdfast-cluster': 'kafka-orders' }])).toEqual(['kafka']);
  expect(fleetsTagged([{ 'holdfast-cluster': 'kafka-disposable' }])).toEqual(['kafka-disposable']);
  expect(fleetsTagged([{ 'holdfast-cluster': 'nobody' }])).toEqual([]);
});

test('an experiment on two clusters that are the same hosts is refused: no lab has both', () => {
  const tags = ['kafka-orders', 'kafka-disposable'].map((cluster) => ({ 'holdfast-cluster': cluster }));
  expect(() => fleetsTagged(tags)).toThrow('no lab has both kafka and kafka-disposable: they are the same hosts');
});

test('no two hosts of any labs share a name, an address or an instance', () => {
  for (const of of ['name', 'instanceId', 'dataAddress'] as const)
    expect(new Set(ALL_HOSTS.map((host) => host[of])).size, of).toBe(ALL_HOSTS.length);
});

test('a lab of redis alone prepares nothing on the machine beside itself', () => {
  expect(setUpsOf(['redis', 'redis-tls'])).toEqual([]);
  expect(setUpsOf(['redis', 'kafka', 'cassandra'])).toEqual(['kafka', 'cassandra']);
});
