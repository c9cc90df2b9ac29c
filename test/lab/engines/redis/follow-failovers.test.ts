import { type ChildProcess, spawn } from 'node:child_process';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { followFailovers } from '../../../../functions/engines/redis/follow-failovers.ts';
import { waitFor } from '../../../../lab/shared/wait-for.ts';
import { freePort } from '../../../functions/listening.ts';

const HOST = '127.0.0.1';
let server: ChildProcess;
let port: number;
/** The client of the shard, whoever announces on the same Redis, and how often the client connected. */
let client: Redis;
let announcer: Redis;
let connections = 0;
let unfollow: () => void;

beforeAll(async () => {
  port = await freePort();
  server = spawn('redis-server', ['--port', String(port), '--bind', HOST, '--save', ''], { stdio: 'ignore' });
  const options = { host: HOST, port, lazyConnect: true, retryStrategy: () => 50 };
  [client, announcer] = [new Redis(options), new Redis(options)];
  for (const each of [client, announcer]) each.on('error', () => {});
  client.on('ready', () => {
    connections += 1;
  });
  await Promise.all([client.connect().catch(() => {}), announcer.connect().catch(() => {})]);
  // Two Sentinels, which announce the same one after the other.
  const sentinel = { addresses: [HOST], port, tls: undefined, login: {} };
  unfollow = followFailovers(client, 'shard-1', [sentinel, sentinel]);
  await waitFor('two subscribers', 10, async () => {
    const [, found] = (await announcer.pubsub('NUMSUB', '+switch-master').catch(() => [])) as unknown[];
    return found === 2 && client.status === 'ready' ? undefined : String(found);
  });
});
afterAll(() => {
  unfollow();
  client.disconnect();
  announcer.disconnect();
  server.kill('SIGKILL');
});

/** Resolves when everybody has heard it: who listens last is told last. */
async function announce(shard: string, host: string, masterPort: number): Promise<void> {
  const last = announcer.duplicate();
  await last.subscribe('+switch-master');
  const heard = new Promise((resolve) => last.once('message', resolve));
  await announcer.publish('+switch-master', `${shard} 10.0.0.1 6379 ${host} ${masterPort}`);
  await heard;
  last.disconnect();
  await announcer.ping();
}

it.each([
  ['it has already', 'shard-1', HOST],
  ['is of another shard', 'shard-2', '10.0.0.2'],
])('the client of the probe keeps its connection when a master is announced that %s', async (_what, shard, host) => {
  const before = connections;
  await announce(shard, host, port);
  expect(client.status).toBe('ready');
  expect(await client.ping()).toBe('PONG');
  expect(connections).toBe(before);
});

it('connects anew, once, when both Sentinels announce a master that it does not have', async () => {
  const before = connections;
  await announce('shard-1', '10.0.0.2', 6379);
  await waitFor('a new connection', 5, async () => (connections > before ? undefined : 'the old one'), 20);
  expect(await client.ping()).toBe('PONG');
  expect(connections).toBe(before + 1);
});

it('is heard no more once it has ended', async () => {
  unfollow();
  await waitFor('no subscriber', 5, async () => {
    const [, found] = (await announcer.pubsub('NUMSUB', '+switch-master')) as unknown[];
    return found === 0 ? undefined : String(found);
  });
});
