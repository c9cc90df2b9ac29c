import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askRedis } from '../../../../functions/engines/redis/connection.ts';
import { redisStore } from '../../../../functions/engines/redis/store.ts';
import { redisCluster } from '../../../functions/domain/configuration-fixtures.ts';
import { liveNode } from '../../../functions/domain/target-fixtures.ts';
import { listening } from '../../../functions/listening.ts';

const PLAIN = { tier: 'staging', tls: undefined };
const credentials = { username: 'holdfast', password: 'secret' };
let redisServer: ChildProcess;
let silentServer: Server;
let port: number;
let silentPort: number;

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.resume());
  return { server, port: await listening(server) };
}

beforeAll(async () => {
  const free = await listen();
  port = free.port;
  await new Promise((resolve) => free.server.close(resolve));
  redisServer = spawn('redis-server', ['-'], { stdio: ['pipe', 'pipe', 'inherit'] });
  redisServer.stdin?.end(
    `port ${port}\nbind 127.0.0.1\nsave ""\nuser holdfast on >secret ~* +@all\nuser default off\n`,
  );
  await new Promise<void>((resolve, reject) => {
    redisServer.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
    redisServer.stdout?.on('data', (text) => `${text}`.includes('Ready to accept') && resolve());
  });
  ({ server: silentServer, port: silentPort } = await listen());
});

afterAll(async () => {
  redisServer.kill('SIGKILL');
  await new Promise((resolve) => silentServer.close(resolve));
});

const endpoint = (change: Partial<Parameters<typeof askRedis>[0]> = {}) => ({
  addresses: ['127.0.0.1'],
  port,
  tls: undefined,
  login: credentials,
  ...change,
});

describe('a question to one Redis', () => {
  it('is answered by the first address that connects', async () => {
    // 127.0.0.2 refuses: the server is bound to 127.0.0.1 alone.
    const answer = await askRedis(endpoint({ addresses: ['127.0.0.2', '127.0.0.1'] }), (redis) => redis.call('ROLE'));
    expect(answer).toEqual(['master', 0, []]);
  });

  it('fails within its bound when the process is silent, refuses or does not know the user', async () => {
    const started = performance.now();
    const ping = (change: Parameters<typeof endpoint>[0]) => askRedis(endpoint(change), (redis) => redis.ping());
    await expect(ping({ port: silentPort })).rejects.toThrow();
    await expect(ping({ addresses: ['127.0.0.2'] })).rejects.toThrow();
    await expect(ping({ login: { ...credentials, password: 'wrong' } })).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(4000);
  });

  it('that no Sentinel answers makes a topology with problems, not an error', async () => {
    const store = redisStore(redisCluster({ ...PLAIN, port, redis: { sentinelPort: silentPort } }), {
      credentials,
      certificates: {},
    });
    const node = liveNode(1, { name: 'n1', addresses: ['127.0.0.1'], port });
    const topology = await store.readTopology([node]);
    expect(topology.shards).toEqual([]);
    expect(topology.problems.join()).toMatch(/Sentinel of n1/);
  });
});
