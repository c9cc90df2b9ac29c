import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nodeConfiguration, rackProperties, ringDelayMs } from '../../../../lab/fleet/cassandra/configuration.ts';
import { silentNodes } from '../../../../lab/fleet/cassandra/health.ts';
import { DATACENTERS_RING, nameOf, ORDERS_RING } from '../../../../lab/fleet/cassandra/hosts.ts';
import { nodeSetting } from '../../../../lab/fleet/cassandra/node-settings.ts';
import { rightsOf, schemaOf } from '../../../../lab/fleet/cassandra/schema.ts';
import { secretsOf } from '../../../../lab/fleet/cassandra/users.ts';
import { CHECKOUT } from '../../../../lab/shared/files.ts';

beforeEach(() => {
  for (const name of ['LAB_CASSANDRA_PHI', 'LAB_CASSANDRA_COMMIT_LOG']) vi.stubEnv(name, undefined);
});
afterEach(() => void vi.unstubAllEnvs());

const keys = {
  user: (username: string) => ({ username, password: `of-${username}` }),
  certificate: () => ({ ca: 'the authority', certificate: '', key: '' }),
};
const { hosts } = ORDERS_RING;
const configurations = hosts.map((host) => JSON.parse(nodeConfiguration(host, ORDERS_RING)));

test('no node takes a client in plain text or without a login, nor another node without a certificate', () => {
  for (const each of configurations) {
    expect(each.authenticator).toBe('PasswordAuthenticator');
    expect(each.authorizer).toBe('CassandraAuthorizer');
    expect(each.client_encryption_options).toMatchObject({ enabled: true, optional: false });
    expect(each.server_encryption_options).toMatchObject({ internode_encryption: 'all', require_client_auth: true });
  }
});

test('a node whose disk fails stops and says so, as by default, and takes no part of its commit log for lost', () => {
  for (const each of configurations)
    expect(each).toMatchObject({ disk_failure_policy: 'stop', commit_failure_policy: 'stop' });
});

test('nodes give another one up as early as by default, later where that is asked for, and at no other time', () => {
  const [host] = hosts;
  const thresholdOf = () => host && JSON.parse(nodeConfiguration(host, ORDERS_RING)).phi_convict_threshold;
  expect(thresholdOf()).toBe(8);
  vi.stubEnv('LAB_CASSANDRA_PHI', '12');
  expect(thresholdOf()).toBe(12);
  expect(() => nodeSetting('LAB_CASSANDRA_PHI', '5')).toThrow('LAB_CASSANDRA_PHI: 5 is none of 8, 12');
});

test('a node writes its commit log past the page cache, and through a memory map only where that is asked for', () => {
  const [host] = hosts;
  const modeOf = () => host && JSON.parse(nodeConfiguration(host, ORDERS_RING)).commitlog_disk_access_mode;
  expect(modeOf()).toBe('direct');
  vi.stubEnv('LAB_CASSANDRA_COMMIT_LOG', 'mmap');
  expect(modeOf()).toBe('mmap');
  vi.stubEnv('LAB_CASSANDRA_COMMIT_LOG', 'standard');
  expect(modeOf).toThrow('LAB_CASSANDRA_COMMIT_LOG: standard is none of direct, mmap');
});

test('two nodes are seeds to every node, and the third is none, so that seed is a role', () => {
  const [first, second] = hosts;
  const seeds = `${first?.dataAddress},${second?.dataAddress}`;
  for (const each of configurations) expect(each.seed_provider[0].parameters).toEqual([{ seeds }]);
  expect(hosts.map(({ isSeed }) => isSeed)).toEqual([true, true, false]);
});

test('who is no seed waits longer for the seeds than they need to be up, and seeds wait for nobody', () => {
  expect(hosts.map(ringDelayMs)).toEqual([500, 500, 30_000]);
});

test('each node has a range of the ring of its own, all as large, and a rack of its own', () => {
  const tokens = configurations.map((each) => BigInt(each.initial_token)).sort((a, b) => (a < b ? -1 : 1));
  const gaps = tokens.map((token, index) => BigInt.asUintN(64, (tokens[(index + 1) % tokens.length] ?? 0n) - token));
  for (const gap of gaps) expect(Number(gap) / 2 ** 64).toBeCloseTo(1 / hosts.length, 6);
  // Of this one no node may be: it stands for the beginning of the ring.
  expect(tokens).not.toContain(-(2n ** 63n));
  expect(new Set(hosts.map(rackProperties)).size).toBe(hosts.length);
});

test('of two datacenters each has a seed, as many copies as nodes, and every login from the first start', () => {
  const all = DATACENTERS_RING.hosts.map((host) => ({
    ...host,
    settings: JSON.parse(nodeConfiguration(host, DATACENTERS_RING)),
  }));
  for (const [datacenter, copies] of Object.entries(DATACENTERS_RING.datacenters)) {
    const own = all.filter((host) => host.datacenter === datacenter);
    expect([own.length, own.filter(({ isSeed }) => isSeed).length], datacenter).toEqual([copies, 1]);
    for (const host of own) expect(rackProperties(host)).toContain(`dc=${datacenter}\n`);
  }
  for (const { settings } of all) {
    expect(settings.default_keyspace_rf).toBe(all.length);
    expect(settings.auth_read_consistency_level).toBe('LOCAL_ONE');
    expect(settings.endpoint_snitch).toBe('GossipingPropertyFileSnitch');
  }
  expect(schemaOf(DATACENTERS_RING)[0]).toContain("'dc1': 2, 'dc2': 2");
});

test('every row, every login and every right is on as many nodes as the ring has', () => {
  for (const statement of schemaOf(ORDERS_RING).filter((each) => each.includes('KEYSPACE')))
    expect(statement).toContain("{'class': 'NetworkTopologyStrategy', 'dc1': 3}");
  for (const each of configurations) expect(each.default_keyspace_rf).toBe(3);
});

test('the product may change rows of its own keyspace alone, and the gateways of theirs', () => {
  const grants = rightsOf(keys).filter((each) => each.startsWith('GRANT '));
  const changing = (user: string) =>
    grants.filter((each) => each.endsWith(` TO ${user}`) && !each.startsWith('GRANT SELECT '));
  expect(changing('holdfast_probe')).toEqual(['GRANT MODIFY ON KEYSPACE holdfast_probe TO holdfast_probe']);
  expect(changing('application')).toEqual(['GRANT MODIFY ON KEYSPACE orders TO application']);
});

test('what the product may do in the lab is what its guide tells an operator to grant, no more and no less', () => {
  const guide = readFileSync(join(CHECKOUT, 'docs/engines/cassandra.md'), 'utf8');
  const told = [...guide.matchAll(/^(GRANT .* TO holdfast_probe);$/gm)].map(([, grant]) => grant);
  expect(told).toHaveLength(3);
  const granted = rightsOf(keys).filter((each) => /^GRANT .* TO holdfast_probe$/.test(each));
  expect(granted.sort()).toEqual(told.sort());
});

test('the super user that every cluster is born with is shut out once there is another', () => {
  expect(rightsOf(keys).at(-1)).toBe('ALTER ROLE cassandra WITH SUPERUSER = false AND LOGIN = false');
});

test('Secrets Manager has the login of the product and the authority, and no other login', () => {
  const secrets = secretsOf('cassandra-orders', keys);
  expect(Object.keys(secrets)).toEqual(['holdfast/cassandra-orders', 'holdfast/cassandra-orders-ca']);
  expect(JSON.parse(secrets['holdfast/cassandra-orders']?.text ?? '')).toEqual(keys.user('holdfast_probe'));
  expect(secrets['holdfast/cassandra-orders-ca']?.text).toBe('the authority');
});

test('a node whose heartbeat stands still, has gone back or was never heard is silent, whatever else is said of it', () => {
  const beat = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(
    fc.property(fc.array(fc.option(fc.tuple(beat, beat)), { minLength: 3, maxLength: 3 }), (beats) => {
      const at = (time: 0 | 1) =>
        new Map(hosts.flatMap(({ dataAddress }, index) => (beats[index] ? [[dataAddress, beats[index][time]]] : [])));
      const silent = silentNodes(hosts, at(0) as Map<string, number>, at(1) as Map<string, number>);
      const expected = hosts.filter((_host, index) => {
        const pair = beats[index];
        return !pair || pair[1] <= pair[0];
      });
      expect(silent).toEqual(expected.map(({ name }) => name));
    }),
  );
});

test('certificates name a node as the product and the clients of the lab expect', () => {
  expect(hosts.map(nameOf)).toEqual([1, 2, 3].map((n) => `cassandra-node-${n}.holdfast.internal`));
});
