import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveNode } from '../../../../functions/domain/targets.ts';
import type { Store } from '../../../../functions/engines/engine.ts';
import { askRedis } from '../../../../functions/engines/redis/connection.ts';
import { redisStore } from '../../../../functions/engines/redis/store.ts';
import { redisCluster } from '../../../functions/domain/configuration-fixtures.ts';
import { liveNode } from '../../../functions/domain/target-fixtures.ts';
import { freePort } from '../../../functions/listening.ts';

const credentials = { username: 'holdfast', password: 'secret' };
let directory: string;
let redisServer: ChildProcess;
let port: number;
/** The Redis of the test, which has no Sentinel. */
let node: LiveNode;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-repair-'));
  port = await freePort();
  node = liveNode(1, { name: 'n1', addresses: ['127.0.0.1'], port });
  store = redisStore(redisCluster({ tier: 'staging', tls: undefined, port }), { credentials, certificates: {} });
  redisServer = spawn('redis-server', ['-'], { stdio: ['pipe', 'pipe', 'inherit'] });
  redisServer.stdin?.end(
    `port ${port}\nbind 127.0.0.1\ndir ${directory}\nsave 3600 1\nuser holdfast on >secret ~* &* +@all\nuser default off\n`,
  );
  await new Promise<void>((resolve, reject) => {
    redisServer.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
    redisServer.stdout?.on('data', (text) => `${text}`.includes('Ready to accept') && resolve());
  });
});

afterEach(async () => {
  redisServer.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

const ask = <T>(question: Parameters<typeof askRedis<T>>[1]) =>
  askRedis({ addresses: ['127.0.0.1'], port, tls: undefined, login: credentials }, question);
const write = () => ask((redis) => redis.set('key', 'value')).catch((error: unknown) => String(error));
const waitFor = async (what: string, isSo: () => Promise<boolean>) => {
  for (let tries = 0; tries < 100; tries++) {
    if (await isSo()) return;
    await sleep(100);
  }
  throw new Error(`never: ${what}`);
};
/** Where its file has to go there is a directory: not even root can write there. */
const saveFailed = async () => {
  await mkdir(join(directory, 'dump.rdb'));
  await ask((redis) => redis.bgsave());
  await waitFor('the save fails', async () => (await write()).includes('MISCONF'));
};

describe('a Redis that could not save', () => {
  it('takes writes again after the repair, once its disk has let it', async () => {
    await saveFailed();

    // The disk is still in the way: the save is begun and fails again.
    expect(await store.repair([node])).toEqual([expect.stringMatching(/^n1: BGSAVE begun/)]);
    await waitFor('it ends', async () =>
      (await ask((redis) => redis.info('persistence'))).includes('rdb_bgsave_in_progress:0'),
    );
    expect(await write()).toContain('MISCONF');

    await rmdir(join(directory, 'dump.rdb'));
    expect(await store.repair([node])).toHaveLength(1);
    await waitFor('writes are taken', async () => (await write()) === 'OK');
    expect(await store.repair([node])).toEqual([]);
  });

  it('is the only one that is asked to save, and one that does not answer is no error', async () => {
    expect(await store.repair([node])).toEqual([]);
    redisServer.kill('SIGKILL');
    expect(await store.repair([node])).toEqual([]);
  });
});
