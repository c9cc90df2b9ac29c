import { afterEach, expect, test, vi } from 'vitest';
import {
  hostContent,
  SESSION_VARIABLE,
  serverProperties,
  sessionOf,
} from '../../../../lab/fleet/kafka/configuration.ts';
import { ownMeta } from '../../../../lab/fleet/kafka/format.ts';
import { replicationProblem } from '../../../../lab/fleet/kafka/health.ts';
import { hostOfNode, KAFKA_HOSTS, KAFKA_UNIT, nodeIdOf } from '../../../../lab/fleet/kafka/hosts.ts';
import { accessControl } from '../../../../lab/fleet/kafka/rights.ts';
import { assignments, TOPICS } from '../../../../lab/fleet/kafka/topics.ts';

const keys = { user: (username: string) => ({ username, password: `of-${username}` }) };

function propertiesOf(index: number): Record<string, string> {
  const host = KAFKA_HOSTS[index];
  if (host === undefined) throw new Error('no such host');
  const lines = serverProperties(host, keys).trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

afterEach(() => vi.unstubAllEnvs());

test('no listener of a broker takes plain text, and none a client without a login', () => {
  const { 'listener.security.protocol.map': protocols = '', listeners } = propertiesOf(0);
  expect(protocols.split(',').sort()).toEqual(['BROKER:SASL_SSL', 'CLIENT:SASL_SSL', 'CONTROLLER:SSL']);
  expect(listeners).toBe('CLIENT://:9092,BROKER://:9094,CONTROLLER://:9095');
  expect(propertiesOf(0)).toMatchObject({
    'listener.name.controller.ssl.client.auth': 'required',
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'super.users': 'User:broker',
    'auto.create.topics.enable': 'false',
  });
});

test('only the certificates of the fleet are brokers to a controller', () => {
  const rules = propertiesOf(1)['listener.name.controller.ssl.principal.mapping.rules'] ?? '';
  const [, pattern = ''] = /^RULE:(.*)\/broker\/,DEFAULT$/.exec(rules) ?? [];
  const isBroker = (name: string) => new RegExp(pattern.replaceAll('\\\\', '\\')).test(name);
  for (const { name } of KAFKA_HOSTS) expect(isBroker(`CN=${name}.holdfast.internal`)).toBe(true);
  for (const other of ['CN=client.holdfast.internal', 'CN=kafka-node-1.holdfast.internal,OU=x', 'CN=kafka-node-11'])
    expect(isBroker(other)).toBe(false);
});

test('every node is told of the same quorum, and its own id and name', () => {
  const all = KAFKA_HOSTS.map((_host, index) => propertiesOf(index));
  expect(new Set(all.map((each) => each['controller.quorum.voters'])).size).toBe(1);
  expect(all.map((each) => each['node.id'])).toEqual(['1', '2', '3']);
  expect(all[1]?.['advertised.listeners']).toContain('CLIENT://kafka-node-2.holdfast.internal:9092');
  for (const host of KAFKA_HOSTS) expect(hostOfNode(nodeIdOf(host))).toBe(host);
  expect(() => hostOfNode(4)).toThrow('no broker has the id 4');
  expect(() => hostOfNode(0)).toThrow('no broker has the id 0');
});

test('brokers lose their session after 9 s, or after 2 s where that is asked for, and after nothing else', () => {
  expect(propertiesOf(0)).toMatchObject({
    'broker.session.timeout.ms': '9000',
    'broker.heartbeat.interval.ms': '2000',
  });
  vi.stubEnv(SESSION_VARIABLE, '2000');
  expect(propertiesOf(0)).toMatchObject({ 'broker.session.timeout.ms': '2000', 'broker.heartbeat.interval.ms': '500' });
  expect(() => sessionOf('3000')).toThrow('LAB_KAFKA_SESSION_MS: 3000 is none of 2000, 9000 (ms)');
});

test('brokers wait for the other processes of the lab, unless they have to be heard every 2 s', () => {
  const certificate = () => ({ ca: 'ca', certificate: 'certificate', key: 'key' });
  const [host] = KAFKA_HOSTS;
  const nicenessOf = () => host && hostContent(host, { ...keys, certificate }, {}).units[KAFKA_UNIT]?.niceness;
  expect(nicenessOf()).toBeGreaterThan(0);
  vi.stubEnv(SESSION_VARIABLE, '2000');
  expect(nicenessOf()).toBeUndefined();
});

test('a formatted directory becomes that of another node, with an id that no other has', () => {
  const text = '#\nnode.id=1\ndirectory.id=AAAAAAAAQACAAAAAAAAAAA\nversion=1\ncluster.id=c\n';
  const own = [2, 3].map((id) => Buffer.from(ownMeta(Buffer.from(text).toString('base64'), id), 'base64').toString());
  expect(own[0]).toMatch(/^#\nnode\.id=2\ndirectory\.id=[A-Za-z0-9_][A-Za-z0-9_-]{21}\nversion=1\ncluster\.id=c\n$/);
  expect(own[1]).toContain('node.id=3');
  const ids = own.map((each) => /^directory\.id=(.*)$/m.exec(each)?.[1] ?? '');
  expect(
    new Set([...ids, 'AAAAAAAAQACAAAAAAAAAAA'].map((id) => Buffer.from(id, 'base64url').toString('hex'))).size,
  ).toBe(3);
});

test('each broker leads one partition of each topic and has a copy of every one', () => {
  const all = assignments();
  expect(all.map(({ brokers }) => brokers[0])).toEqual([1, 2, 3]);
  for (const { brokers } of all) expect([...brokers].sort()).toEqual([1, 2, 3]);
});

test('the product may write to its own topic alone, and change nothing else', () => {
  const holdfast = accessControl().filter(({ principal }) => principal === 'User:holdfast');
  const [READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS] = [3, 4, 8, 10];
  const beyond = holdfast.filter(({ operation }) => operation !== DESCRIBE && operation !== DESCRIBE_CONFIGS);
  expect(beyond.map(({ resourceName, operation }) => [resourceName, operation])).toEqual([
    ['holdfast-probe', READ],
    ['holdfast-probe', WRITE],
  ]);
});

test('a fleet whose partitions are missing, without a leader or not all in sync is not ready', () => {
  const names = KAFKA_HOSTS.map(({ name }) => name);
  const [leader = ''] = names;
  const all = TOPICS.flatMap((topic) =>
    names.map((_name, partition) => ({ topic, partition, leader, replicas: names, inSync: names })),
  );
  expect(replicationProblem(all)).toBeUndefined();
  expect(replicationProblem(all.slice(1))).toBe('8 of 9 partitions');
  const { leader: _none, ...headless } = all[0] ?? { leader: '' };
  expect(replicationProblem([headless as (typeof all)[0], ...all.slice(1)])).toBe('orders-0 has no leader');
  expect(replicationProblem([{ ...headless, leader, inSync: [leader] } as (typeof all)[0], ...all.slice(1)])).toBe(
    'orders-0: 1 of 3 in sync',
  );
});
