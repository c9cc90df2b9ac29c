import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StoreTimeout } from '../../../../lab/fleet/engine.ts';
import { clientNamed, connectShard, shardStore } from '../../../../lab/fleet/redis/shard-client.ts';
import { freePort } from '../../../functions/listening.ts';

const SHARD = 'shard-1';
const credentials = { username: 'holdfast', password: 'secret' };
const USERS = 'user holdfast on >secret ~* &* +@all\nuser default off\n';
const directory = mkdtempSync(join(tmpdir(), 'holdfast-shard-'));
const processes: ChildProcess[] = [];
let sentinelPort: number;

async function startRedis(name: string, configuration: string, ...mode: string[]): Promise<number> {
  const port = await freePort();
  const file = join(directory, `${name}.conf`);
  writeFileSync(file, `port ${port}\nbind 127.0.0.1\ndir ${directory}\n${USERS}${configuration}`);
  const server = spawn('redis-server', [file, ...mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  processes.push(server);
  await new Promise<void>((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
    server.stdout.on('data', (text) => /Ready to accept|Sentinel ID/.test(`${text}`) && resolve());
  });
  return port;
}

beforeAll(async () => {
  const master = await startRedis('master', 'save ""\n');
  sentinelPort = await startRedis('sentinel', `sentinel monitor ${SHARD} 127.0.0.1 ${master} 1\n`, '--sentinel');
});

afterAll(() => {
  for (const server of processes) server.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const LOGIN = { store: credentials, sentinel: credentials, tls: undefined };

/** What ioredis' failover detector does with the connector on `+switch-master`. */
function announceFailover(redis: Redis): void {
  const { connector } = redis as unknown as { connector: { disconnect(): void } };
  connector.disconnect();
}

test('a client whose connection attempt is interrupted by a failover connects again', async () => {
  const redis = connectShard({ shard: SHARD, sentinels: [{ host: '127.0.0.1', port: sentinelPort }] }, LOGIN);
  try {
    expect(redis.status).toBe('connecting');
    const ended = new Promise((resolve) => redis.once('end', () => resolve(undefined)));
    announceFailover(redis);
    await ended;
    await expect.poll(() => redis.status, { timeout: 5_000 }).toBe('ready');
    expect(await redis.set('key', 'value')).toBe('OK');
  } finally {
    redis.removeAllListeners('end');
    redis.disconnect();
  }
});

test('a client that is set as its library comes waits for a master that stands still, and one that is tuned does not', async () => {
  const address = { shard: SHARD, sentinels: [{ host: '127.0.0.1', port: sentinelPort }] };
  const [tuned, byDefault] = [connectShard(address, LOGIN), connectShard(address, LOGIN, clientNamed('default'))];
  const [master] = processes;
  try {
    for (const redis of [tuned, byDefault]) await expect.poll(() => redis.status, { timeout: 5_000 }).toBe('ready');
    master?.kill('SIGSTOP');
    const answer = byDefault.set('key', 'value');
    await expect(tuned.set('key', 'value')).rejects.toThrow('Command timed out');
    master?.kill('SIGCONT');
    expect(await answer).toBe('OK');
  } finally {
    master?.kill('SIGCONT');
    for (const redis of [tuned, byDefault]) {
      redis.removeAllListeners('end');
      redis.disconnect();
    }
  }
});

test('LAB_REDIS_CLIENT says which it is, and anything else is refused', () => {
  expect([clientNamed(undefined), clientNamed('tuned'), clientNamed('default')]).toEqual(['tuned', 'tuned', 'default']);
  expect(() => clientNamed('slow')).toThrow('LAB_REDIS_CLIENT: "slow" is none of tuned, default');
});

test('a connection that stays without answers is given up, so that Sentinel is asked for the master again', async () => {
  let answers = false;
  let nowMs = 0;
  const reconnects: boolean[] = [];
  const store = shardStore(
    {
      set: () => (answers ? Promise.resolve('OK' as const) : Promise.reject(new Error('Command timed out'))),
      get: () => Promise.resolve(null),
      disconnect: (reconnect?: boolean) => void reconnects.push(reconnect ?? false),
    },
    () => nowMs,
  );
  const attemptAt = (atMs: number) => {
    nowMs = atMs;
    return store.set('k', 'v').catch((error: unknown) => error);
  };
  expect(await attemptAt(0)).toBeInstanceOf(StoreTimeout);
  await attemptAt(1_900);
  answers = true;
  await attemptAt(1_950);
  answers = false;
  await attemptAt(2_100);
  await attemptAt(4_000);
  expect(reconnects).toEqual([]);
  await attemptAt(4_100);
  expect(reconnects).toEqual([true]);
});
