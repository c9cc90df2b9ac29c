import { type ChildProcess, spawn } from 'node:child_process';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { follow, masterSwitch } from '../../../../functions/engines/redis/follow-failovers.ts';
import { listenToSentinels, type SentinelEvent } from '../../../../functions/engines/redis/sentinel-events.ts';
import { waitFor } from '../../../../lab/shared/wait-for.ts';
import { freePort } from '../../../functions/listening.ts';

const HOST = '127.0.0.1';
let server: ChildProcess;
let port: number;
/** The client of the shard, whoever announces on the same Redis, and how often the client connected. */
let client: Redis;
let announcer: Redis;
let connections = 0;
let listening: ReturnType<typeof listenToSentinels>;
const events: SentinelEvent[] = [];
const problems: string[] = [];

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
  const sentinel = { node: 'redis-node-1', addresses: [HOST], port, tls: undefined, login: {} };
  listening = listenToSentinels([sentinel, sentinel], {
    tell(event) {
      events.push(event);
      const switched = masterSwitch('shard-1', event);
      if (switched) void follow(client, switched);
    },
    complain: (problem) => problems.push(problem),
  });
  await waitFor('two subscribers', 10, async () => {
    const found = (await announcer.pubsub('NUMSUB', '+switch-master', '+odown').catch(() => [])) as unknown[];
    return found[1] === 2 && found[3] === 2 && client.status === 'ready' ? undefined : String(found);
  });
});
afterAll(() => {
  listening.stop();
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

it('tells whose Sentinel said it, and how much earlier it may have been said at most', async () => {
  const odown = `master shard-1 10.0.0.1 6379 #quorum 2/2`;
  await waitFor('signs of life', 5, async () => (listening.isHearing() ? undefined : 'silence'));
  await announcer.publish('+odown', odown);
  await waitFor('the event, twice', 5, async () => {
    const heard = events.filter(({ message }) => message === odown);
    return heard.length === 2 ? undefined : String(heard.length);
  });
  const heard = events.find(({ message }) => message === odown);
  expect(heard).toMatchObject({ node: 'redis-node-1', channel: '+odown' });
  expect(heard?.uncertaintyMs).toBeGreaterThan(0);
  expect(heard?.uncertaintyMs).toBeLessThan(1000);
});

it('hears of another master also where its user may hear nothing else, and says what it may not', async () => {
  expect(problems).toEqual([]);
  await announcer.call('ACL', 'SETUSER', 'watcher', 'on', '>p', '&+switch-master', '-@all', '+subscribe');
  const login = { username: 'watcher', password: 'p' };
  const [heard, refused]: [string[], string[]] = [[], []];
  const narrow = listenToSentinels([{ node: 'redis-node-2', addresses: [HOST], port, tls: undefined, login }], {
    tell: ({ message }) => heard.push(message),
    complain: (problem) => refused.push(problem),
  });
  try {
    await waitFor('signs of life', 5, async () => (narrow.isHearing() ? undefined : 'silence'));
    await announce('shard-2', '10.0.0.2', 6379);
    await waitFor('the announcement', 5, async () => (heard.length > 0 ? undefined : 'silence'));
    expect(refused).toEqual([expect.stringMatching(/^Sentinel of redis-node-2: \+sdown and \+odown: NOPERM/)]);
  } finally {
    narrow.stop();
  }
});

it('knows that it hears nobody while the Sentinels are silent, and hears them again when they are back', async () => {
  server.kill('SIGSTOP');
  await waitFor('silence', 10, async () => (listening.isHearing() ? 'heard' : undefined), 20);
  server.kill('SIGCONT');
  await waitFor('signs of life', 10, async () => (listening.isHearing() ? undefined : 'silence'), 20);
});

it('is heard no more once it has ended', async () => {
  listening.stop();
  await waitFor('no subscriber', 5, async () => {
    const [, found] = (await announcer.pubsub('NUMSUB', '+switch-master')) as unknown[];
    return found === 0 ? undefined : String(found);
  });
});
