import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { topologyProblems } from '../../../../functions/domain/topology.ts';
import type { Certificates } from '../../../../functions/engines/engine.ts';
import { redisProbe } from '../../../../functions/engines/redis/probe.ts';
import { redisStore } from '../../../../functions/engines/redis/store.ts';
import { createAuthority } from '../../../../lab/shared/authority.ts';
import { OWN_FILES } from '../../../../lab/shared/files.ts';
import { redisCluster } from '../../../functions/domain/configuration-fixtures.ts';
import { liveNode, roleIn, targetNode } from '../../../functions/domain/target-fixtures.ts';
import { freePort } from '../../../functions/listening.ts';

/** A Redis and its Sentinel, both TLS only, which ask for certificates; they announce a name, and theirs know no address. */
const directory = mkdtempSync(join(tmpdir(), 'holdfast-tls-'));
const path = (name: string) => join(directory, name);
const text = (name: string) => readFileSync(path(name), 'utf8');
const SERVER_NAME = '{node}.redis.example';
const credentials = { username: 'holdfast', password: 'p', sentinelUsername: 'watcher', sentinelPassword: 's' };
const started: ChildProcess[] = [];
let [port, sentinelPort] = [0, 0];

function start(name: string, lines: string[], ...more: string[]): void {
  const tls = ['cert-file server.pem', 'key-file server.key', 'ca-cert-file ca.pem'].map((line) => `tls-${line}`);
  const common = ['port 0', 'bind 127.0.0.1', `dir ${directory}`, 'tls-auth-clients yes', 'tls-replication yes'];
  writeFileSync(path(name), [...common, ...tls, 'user default off', ...lines, ''].join('\n'));
  started.push(spawn('redis-server', [path(name), ...more], { cwd: directory, stdio: 'ignore' }));
}

beforeAll(async () => {
  mkdirSync(path(OWN_FILES.tls));
  const signed = (name: string, usage: string) => ({
    ...{ certificate: path(`${name}.pem`), key: path(`${name}.key`), commonName: name, usage },
    subjectAltName: `DNS:${name === 'server' ? 'redis-node-1.redis.example' : name}`,
  });
  const names = [signed('server', 'serverAuth,clientAuth'), signed('client', 'clientAuth')];
  createAuthority(directory, path('ca.pem'), 'Stores', names);
  createAuthority(directory, path('other-ca.pem'), 'Somebody else', [signed('other-client', 'clientAuth')]);
  [port, sentinelPort] = [await freePort(), await freePort()];
  start('redis.conf', [
    `tls-port ${port}`,
    'save ""',
    'replica-announce-ip localhost',
    'user holdfast on >p ~* &* +@all',
  ]);
  const watched = ['sentinel resolve-hostnames yes', 'sentinel announce-hostnames yes'];
  watched.push(`sentinel monitor shard-1 localhost ${port} 1`, 'sentinel auth-user shard-1 holdfast');
  watched.push('sentinel auth-pass shard-1 p', 'user watcher on >s &* -@all +sentinel +subscribe');
  start('sentinel.conf', [`tls-port ${sentinelPort}`, ...watched], '--sentinel');
  const deadlineMs = Date.now() + 15_000;
  while (topologyProblems(await topologyWith({})).length > 0) {
    if (Date.now() > deadlineMs) throw new Error(topologyProblems(await topologyWith({})).join());
    await sleep(100);
  }
});

afterAll(() => {
  for (const each of started) each.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const CLIENT = () => ({ certificate: text('client.pem'), key: text('client.key') });
const cluster = (serverName = SERVER_NAME) => redisCluster({ port, redis: { sentinelPort }, tls: { serverName } });
const at = { addresses: ['127.0.0.1'] };

function topologyWith(certificates: Certificates, serverName?: string, own: Record<string, string> = credentials) {
  const node = liveNode(1, { ...at, port });
  const access = { credentials: own, certificates: { ca: text('ca.pem'), client: CLIENT(), ...certificates } };
  return redisStore(cluster(serverName), access).readTopology([node]);
}

describe('a store that speaks TLS only, with a private authority and certificates without addresses', () => {
  it('is seen whole, with a Sentinel that has a user of its own and announces names', async () => {
    const topology = await topologyWith({});
    expect(topologyProblems(topology)).toEqual([]);
    expect(topology.shards).toMatchObject([{ name: 'shard-1', members: [{ node: 'redis-node-1', role: 'master' }] }]);
    expect(topology.advertisedAddresses).toEqual({ 'redis-node-1': '127.0.0.1' });
  });

  it('is probed by a client that follows the Sentinel', async () => {
    const node = targetNode(1, { ...at, port, roles: [roleIn('shard-1', 'master')] });
    const access = { credentials, certificates: { ca: text('ca.pem'), client: CLIENT() } };
    const probe = redisProbe({
      shard: 'shard-1',
      members: [node],
      impacted: [node],
      cluster: cluster(),
      access,
      choices: {},
    });
    try {
      await probe.connect();
      // There is no replica to acknowledge it.
      expect(await probe.write('holdfast:probe:x:1', '1')).toBe(false);
      expect(await probe.read('holdfast:probe:x:1')).toBe('1');
      expect(await probe.health()).toMatchObject({ masters: 1, onlineReplicas: 0 });
      expect(await probe.isOnImpacted('holdfast:probe:x:1', '1')).toBe(true);
      expect(await probe.leader()).toBe('redis-node-1');
      expect(await probe.readAll(['holdfast:probe:x:1'])).toEqual(new Map([['holdfast:probe:x:1', '1']]));
    } finally {
      probe.close();
    }
  });

  it('is no leader, and gets no password, when it is none of the nodes that were resolved', async () => {
    const members = [targetNode(1, { ...at, port: 1 })];
    const access = { credentials, certificates: { ca: text('ca.pem'), client: CLIENT() } };
    const probe = redisProbe({ shard: 'shard-1', members, impacted: members, cluster: cluster(), access, choices: {} });
    await expect(probe.leader()).rejects.toThrow(/localhost:\d+ is not one of its nodes/);
    probe.close();
  });

  it.each([
    ['another authority', () => topologyWith({ ca: text('other-ca.pem') }), /not of an authority that is trusted/],
    ['another server name', () => topologyWith({}, '{node}.redis.test'), /is for another name \(serverName\)/],
    [
      'no client certificate',
      () => {
        const { client: _, ...none } = { client: CLIENT(), ca: text('ca.pem') };
        const node = liveNode(1, { ...at, port });
        return redisStore(cluster(), { credentials, certificates: none }).readTopology([node]);
      },
      /demands a certificate of us/,
    ],
    [
      'a client certificate of another authority',
      () => topologyWith({ client: { certificate: text('other-client.pem'), key: text('other-client.key') } }),
      /does not trust the authority of our certificate/,
    ],
    [
      'a password that its Sentinel does not know',
      () => topologyWith({}, SERVER_NAME, { ...credentials, sentinelPassword: 'x' }),
      /Sentinel of redis-node-1: .*WRONGPASS/,
    ],
  ])('is not healthy with %s, and says so', async (_what, look, reason) => {
    expect(topologyProblems(await look()).join('\n')).toMatch(reason);
  });
});
