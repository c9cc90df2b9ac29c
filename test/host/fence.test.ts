import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SentinelScript } from './sentinel-server.ts';
import { ADDRESS, FOREIGN_RULES, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

/** The Sentinel on the host itself, and the one on the peer. */
const OWN = { fence: 'redis', fenceMasterName: 'shard-1', fenceSentinels: `${ADDRESS.host}:26379` };
const PEERS = { ...OWN, fenceSentinels: `${ADDRESS.peer}:26379` };
const CLEAN: SentinelScript = { ip: ADDRESS.host, flags: 'master', lastOkPingReplyMs: 10 };

function setSentinel(world: World, script: SentinelScript): void {
  writeFileSync(join(world.directory, 'sentinel.new'), JSON.stringify(script));
  renameSync(join(world.directory, 'sentinel.new'), join(world.directory, 'sentinel.json'));
}

async function startScriptedSentinel(world: World, script: SentinelScript): Promise<void> {
  setSentinel(world, script);
  const server = new URL('sentinel-server.ts', import.meta.url).pathname;
  const sentinel = world.spawn(['ip', 'netns', 'exec', 'far', process.execPath, server, world.directory]);
  await new Promise<void>((resolve) => sentinel.stdout?.once('data', () => resolve()));
}

/** Waits until the scripted Sentinel was asked so many times more. */
async function asked(world: World, times: number): Promise<void> {
  const count = async () => (await world.exec(['cat', '/run/files/sentinel-asked'])).out.replace(/[^.]/g, '').length;
  const before = await count();
  await until('the questions', 10, async () => (await count()) >= before + times);
}

async function applied(world: World, changes: Record<string, string>): Promise<void> {
  expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
  expect(await world.connects('peer')).toBe(false);
}

/** A host with a real Redis instead of the listener that plays the store. */
function inRedisWorld(test: (world: World) => Promise<void>): Promise<void> {
  return inWorld(
    'network-partition',
    async (world) => {
      await world.startRedis();
      await test(world);
    },
    false,
  );
}

/** And with a Sentinel of its own. */
function inSentinelWorld(test: (world: World) => Promise<void>): Promise<void> {
  return inRedisWorld(async (world) => {
    await world.startSentinel();
    await test(world);
  });
}

describe.concurrent('the fence stands until nobody can take the node for master by mistake', () => {
  it('keeps clients out in the middle of a failover, although the Sentinels still name the node', () =>
    inRedisWorld(async (world) => {
      await startScriptedSentinel(world, { ...CLEAN, flags: 'master,o_down,failover_in_progress' });
      await applied(world, PEERS);
      const answer = world.rollBack('revert');
      await until('the lifting', 5, () => world.connects('peer'));
      await asked(world, 15);
      expect(await world.connects('client')).toBe(false);
      // Its flags are clean, but it has not heard the node since the fault was lifted.
      setSentinel(world, { ...CLEAN, lastOkPingReplyMs: 60_000 });
      await asked(world, 15);
      expect(await world.connects('client')).toBe(false);
      setSentinel(world, CLEAN);
      expect(await answer).toMatchObject({ code: 0, state: 'REVERTED', fence: { outcome: 'SETTLED' } });
      expect(await world.connects('client')).toBe(true);
    }));

  it('begins to wait anew when a Sentinel falls back into doubt', () =>
    inRedisWorld(async (world) => {
      await startScriptedSentinel(world, CLEAN);
      await applied(world, PEERS);
      const answer = world.rollBack('revert');
      await asked(world, 2);
      setSentinel(world, { ...CLEAN, flags: 'master,s_down' });
      await asked(world, 20);
      expect(await world.connects('peer')).toBe(true);
      expect(await world.connects('client')).toBe(false);
      setSentinel(world, CLEAN);
      expect(await answer).toMatchObject({ state: 'REVERTED', fence: { outcome: 'SETTLED' } });
    }));

  for (const signal of ['KILL', 'STOP'] as const) {
    it(`falls at the deadline, also when the half that waits for the store gets SIG${signal}`, () =>
      inRedisWorld(async (world) => {
        await applied(world, { ...PEERS, ttlSeconds: '3' });
        await until('the lifting', 10, () => world.connects('peer'));
        const liftedMs = Date.now();
        const waiting = await until('the one who waits', 5, async () => {
          const [pid] = (await world.exec(['cat', `/run/holdfast/settling.${world.faultId}`])).out.split(' ');
          return pid;
        });
        expect(Object.values(await world.pair())).toContain(waiting);
        await world.signal(signal, waiting);
        expect(await world.connects('client')).toBe(false);
        await until('the end of the fence', 20, () => world.connects('client'));
        expect(Date.now() - liftedMs).toBeGreaterThan(13_000);
        expect(Date.now() - liftedMs).toBeLessThan(18_000);
        expect(await world.reverted(5)).toMatchObject({
          fence: { outcome: 'DEADLINE' },
          leftovers: [],
          revertReason: 'TTL',
        });
      }));
  }
});

describe.concurrent('the fence comes down, whatever breaks', () => {
  it('takes down a fence that was raised in one address family alone, and says that it failed', () =>
    inSentinelWorld(async (world) => {
      await applied(world, OWN);
      await world.replaceTool(
        'ip6tables-restore',
        `rules=$(cat); [[ $rules != *'-I INPUT 1'*hff-* ]] || exit 1
/usr/sbin/ip6tables-restore "$@" <<<"$rules"`,
      );
      const answer = await world.rollBack('revert');
      expect(answer).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [], fence: { outcome: 'FAILED' } });
      expect(answer.reason).toMatch(/no fence/);
      expect(await world.filter()).toEqual(FOREIGN_RULES);
      expect(await world.connects('client')).toBe(true);
    }));

  it('goes on until it is down when it could not be lowered', () =>
    inSentinelWorld(async (world) => {
      writeFileSync(join(world.directory, 'broken'), '');
      await world.replaceTool(
        'iptables-restore',
        `rules=$(cat)
if [[ -e /run/files/broken && $rules == *'-X hff-'* ]]; then exit 1; fi
/usr/sbin/iptables-restore "$@" <<<"$rules"`,
      );
      await applied(world, { ...OWN, ttlSeconds: '3' });
      // More often than once by each half.
      await until('the failures', 20, async () => (await world.log()).split('fence is still up').length > 3);
      expect(await world.connects('peer')).toBe(true);
      expect(await world.connects('client')).toBe(false);
      rmSync(join(world.directory, 'broken'));
      await until('the end of the fence', 10, () => world.connects('client'));
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));

  it('comes down at the deadline although the fault itself cannot be lifted', () =>
    inSentinelWorld(async (world) => {
      writeFileSync(join(world.directory, 'broken'), '');
      await world.replaceTool(
        'iptables-restore',
        `rules=$(cat)
if [[ -e /run/files/broken && $rules == *'-X hf-'* ]]; then exit 1; fi
/usr/sbin/iptables-restore "$@" <<<"$rules"`,
      );
      await applied(world, { ...OWN, scope: 'peers', ttlSeconds: '3' });
      expect(await world.connects('client')).toBe(true);
      await until('the fence', 8, async () => !(await world.connects('client')));
      const raisedMs = Date.now();
      await until('the end of the fence', 25, () => world.connects('client'));
      expect(Date.now() - raisedMs).toBeLessThan(22_000);
      expect(await world.connects('peer')).toBe(false);
      rmSync(join(world.directory, 'broken'));
      await until('the lifting', 10, () => world.connects('peer'));
      expect(await world.reverted(5)).toMatchObject({ fence: { outcome: 'DEADLINE' }, leftovers: [] });
    }));

  it('comes down, like the fault, while /run is full', () =>
    inSentinelWorld(async (world) => {
      await applied(world, { ...OWN, ttlSeconds: '4' });
      await world.exec(['mount', '-o', 'remount,size=1m', '/run']);
      await world.exec(['dd', 'if=/dev/zero', 'of=/run/full', 'bs=4k']);
      expect((await world.exec(['bash', '-c', 'echo x >/run/more'])).code).not.toBe(0);
      await until('the lifting', 8, () => world.connects('peer'));
      await until('the end of the fence', 20, () => world.connects('client'));
      expect((await world.exec(['bash', '-c', 'echo x >/run/more'])).code).not.toBe(0);
      await world.exec(['rm', '/run/full']);
      expect(await world.reverted(8)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));
});
