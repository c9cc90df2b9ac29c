import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Observer, observeReachability } from '../../../lab/fleet/observe.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function store(): Promise<{ port: number; pause(paused: boolean): void }> {
  let paused = false;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.on('data', () => {
      if (!paused) socket.write('-NOAUTH Authentication required.\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    pause: (value) => {
      paused = value;
    },
  };
}

function watch(port: number, fromPid = process.pid): Observer {
  const observer = observeReachability({ fromPid, address: '127.0.0.1', port, question: 'PING\r\n' });
  cleanups.push(() => observer.stop());
  return observer;
}

test('sees a store that still accepts connections but no longer answers, and sees it come back', async () => {
  const { port, pause } = await store();
  const observer = watch(port);
  await observer.waitFor(true, Date.now(), 5_000);
  const pausedAt = Date.now();
  pause(true);
  const downAt = await observer.waitFor(false, pausedAt, 5_000);
  // A sample that had begun before the pause may be the first without an answer.
  expect(downAt).toBeGreaterThanOrEqual(pausedAt - 250);
  expect(downAt - pausedAt).toBeLessThan(1_000);
  const resumedAt = Date.now();
  pause(false);
  const upAt = await observer.waitFor(true, resumedAt, 5_000);
  expect(upAt - resumedAt).toBeLessThan(1_000);
});

test('an outage that never comes is an error and not a zero', async () => {
  const observer = watch((await store()).port);
  await observer.waitFor(true, Date.now(), 5_000);
  await expect(observer.waitFor(false, Date.now(), 500)).rejects.toThrow('not seen within 500 ms');
});

test('an observer that cannot look reports so instead of silence', async () => {
  // No process has this pid: Linux allows 2^22 at most.
  const observer = watch(1, 2 ** 22 + 1);
  await expect(observer.waitFor(true, Date.now(), 5_000)).rejects.toThrow('the observer ended');
});
