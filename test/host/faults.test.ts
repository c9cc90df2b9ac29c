import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADDRESS, FOREIGN_RULES, PORT, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

async function storePid(world: World): Promise<string> {
  return (await world.exec(['bash', '-c', `ss -Hltnp sport = :${PORT} | grep -o 'pid=[0-9]*' | cut -d= -f2`])).out;
}

async function processState(world: World, pid: string): Promise<string> {
  return (await world.exec(['ps', '-o', 'stat=', '-p', pid])).out.slice(0, 1);
}

describe.concurrent('network partition', () => {
  it('cuts peers and leaves clients alone when the scope is peers', () =>
    inWorld('network-partition', async (world) => {
      await world.inject({ scope: 'peers' });
      expect(await world.connects('peer')).toBe(false);
      expect(await world.connects('client')).toBe(true);
      const ping = ['ip', 'netns', 'exec', 'far', 'ping', '-c1', '-W1', '-I'];
      expect((await world.exec([...ping, ADDRESS.peer, ADDRESS.host])).code).not.toBe(0);
      expect((await world.exec([...ping, ADDRESS.client, ADDRESS.host])).code).toBe(0);
      await world.rollBack('revert');
      expect((await world.exec([...ping, ADDRESS.peer, ADDRESS.host])).code).toBe(0);
    }));

  it('never cuts an exempt address, also not from the store', () =>
    inWorld('network-partition', async (world) => {
      await world.inject({ exemptAddresses: ADDRESS.client });
      expect(await world.connects('peer')).toBe(false);
      expect(await world.connects('client')).toBe(true);
    }));

  it('loses a share of the packets when packetLossPct is under 100', () =>
    inWorld('network-partition', async (world) => {
      await world.inject({ packetLossPct: '50', scope: 'peers' });
      const ping = await world.exec([
        ...['ip', 'netns', 'exec', 'far', 'ping', '-q', '-c200', '-i0.005', '-W1', '-I', ADDRESS.peer, ADDRESS.host],
      ]);
      // Lost on the way in or on the way out: 75 % of the round trips; 6 sigma at 200 pings is 18 points.
      const lossPct = Number(/([\d.]+)% packet loss/.exec(ping.out)?.[1]);
      expect(lossPct).toBeGreaterThan(57);
      expect(lossPct).toBeLessThan(93);
    }));
});

describe.concurrent('process faults', () => {
  it('pauses the owner of the port, and continues exactly that process', () =>
    inWorld('process-pause', async (world) => {
      const pid = await storePid(world);
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await processState(world, pid)).toBe('T');
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await processState(world, pid)).not.toBe('T');
    }));

  it('continues the paused process when the runner is killed', () =>
    inWorld('process-pause', async (world) => {
      const pid = await storePid(world);
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await processState(world, pid)).toBe('T');
      await world.signal('KILL', (await world.pair()).runner);
      await until('the end of the pause', 3, async () => (await processState(world, pid)) !== 'T');
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'WATCHDOG_DIED', leftovers: [] });
      expect(await processState(world, pid)).not.toBe('T');
    }));

  it('refuses to pause when nothing listens on the port and no unit runs', () =>
    inWorld(
      'process-pause',
      async (world) => {
        expect(await world.inject()).toMatchObject({ code: 3, reason: expect.stringMatching(/no process/) });
      },
      false,
    ));

  it('kills the store and says after the revert that its supervisor has not started it', () =>
    inWorld('process-kill', async (world) => {
      const pid = await storePid(world);
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await processState(world, pid)).not.toMatch(/[RS]/);
      const answer = await world.rollBack('revert');
      expect(answer).toMatchObject({ code: 0, state: 'REVERTED', reason: expect.stringMatching(/does not listen/) });
    }));

  it('refuses restart=rollback when systemd does not know the process', () =>
    inWorld('process-kill', async (world) => {
      expect(await world.inject({ restart: 'rollback' })).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/systemctl/),
      });
      expect(await world.connects('client')).toBe(true);
    }));

  it('starts a unit again whose supervisor should have done so and has not', () =>
    inWorld(
      'process-kill',
      async (world) => {
        await world.startUnit({ restart: 'always' });
        expect(await world.inject({ restart: 'rollback' })).toMatchObject({ code: 0, state: 'APPLIED' });
        expect(await world.connects('client')).toBe(false);
        expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
        expect(await world.connects('client')).toBe(true);
      },
      false,
    ));

  it('leaves alone a unit that its supervisor has started again before the revert', () =>
    inWorld(
      'process-kill',
      async (world) => {
        await world.startUnit({ restart: 'always' });
        const killed = await storePid(world);
        await world.inject({ restart: 'rollback' });
        await world.exec(['systemctl', 'start', 'redis-server']);
        await until('the supervisor', 5, () => world.connects('client'));
        const restarted = await storePid(world);
        expect(restarted).not.toBe(killed);
        expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
        expect(await storePid(world)).toBe(restarted);
      },
      false,
    ));

  it('calls a store that takes long to shut down back only when another process serves', () =>
    inWorld(
      'process-kill',
      async (world) => {
        await world.startUnit({ shutdownSeconds: 7 });
        const pid = await storePid(world);
        expect(await world.inject({ signal: 'TERM', restart: 'rollback' })).toMatchObject({ code: 4 });
        expect(await processState(world, pid)).not.toBe('');
        expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
        expect(await processState(world, pid)).not.toMatch(/[RS]/);
        expect(await world.connects('client')).toBe(true);
        expect(await storePid(world)).not.toBe(pid);
      },
      false,
    ));

  it('says that a store which never ended is not back, and lets nobody believe that it was killed', () =>
    inWorld(
      'process-kill',
      async (world) => {
        await world.startUnit({ shutdownSeconds: 600 });
        await world.inject({ signal: 'TERM', restart: 'rollback' });
        const answer = await world.rollBack('revert');
        expect(answer).toMatchObject({ code: 4, state: 'FAILED', reason: expect.stringMatching(/still runs/) });
      },
      false,
    ));

  it('does not hold up a machine that goes down, which starts no unit any more', () =>
    inWorld(
      'process-kill',
      async (world) => {
        await world.startUnit();
        await world.inject({ restart: 'rollback' });
        const pid = 'show) [ -e /proc/$(cat /run/unit.pid) ] && cat /run/unit.pid || echo 0 ;;';
        const goesDown = `#!/bin/bash
case $1 in ${pid} is-active) echo inactive; exit 3 ;; is-system-running) echo stopping; exit 1 ;; *) exit 1 ;; esac
`;
        writeFileSync(join(world.directory, 'systemctl'), goesDown);
        const startedMs = Date.now();
        expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
        expect(Date.now() - startedMs).toBeLessThan(5_000);
      },
      false,
    ));

  it('starts the unit again on the revert when restart is rollback', () =>
    inWorld(
      'process-kill',
      async (world) => {
        await world.startUnit();
        const pid = await storePid(world);
        expect(await world.inject({ restart: 'rollback' })).toMatchObject({ code: 0, state: 'APPLIED' });
        expect(await world.connects('client')).toBe(false);
        expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED' });
        expect(await world.connects('client')).toBe(true);
        expect(await storePid(world)).not.toBe(pid);
      },
      false,
    ));
});

describe.concurrent('the revert must not hurt', () => {
  it('keeps clients from an ex-master until it is a replica, and lets the peers in first', () =>
    inWorld(
      'network-partition',
      async (world) => {
        await world.startRedis();
        const fence = { fence: 'redis', fenceMasterName: 'shard-1', fenceSentinels: `${ADDRESS.peer}:26379` };
        expect(await world.inject(fence)).toMatchObject({ code: 0, state: 'APPLIED' });
        const answer = world.rollBack('revert');
        await until('the lifting', 5, () => world.connects('peer'));
        // No Sentinel answers and the node is a master: nobody may write to it yet.
        expect(await world.connects('client')).toBe(false);
        await world.redis('REPLICAOF', ADDRESS.peer, '6379');
        const end = await answer;
        expect(end).toMatchObject({ code: 0, state: 'REVERTED', fence: { outcome: 'SETTLED' }, leftovers: [] });
        expect(Date.parse(end.fence.raisedAt ?? '')).toBeLessThanOrEqual(Date.parse(end.liftedAt ?? ''));
        expect(await world.connects('client')).toBe(true);
        expect(await world.filter()).toEqual(FOREIGN_RULES);
      },
      false,
    ));

  it('takes the fence down when every Sentinel names the node master', () =>
    inWorld(
      'network-partition',
      async (world) => {
        await world.startRedis();
        await world.startSentinel();
        const fence = { fence: 'redis', fenceMasterName: 'shard-1', fenceSentinels: `${ADDRESS.host}:26379` };
        expect(await world.inject(fence)).toMatchObject({ code: 0, state: 'APPLIED' });
        const sentinel = (await world.exec(['pgrep', '-f', 'redis-server.*sentinel'])).out;
        // It does not answer when it is asked before the lift, which leaves the role in doubt.
        await world.signal('STOP', sentinel);
        const reverting = world.rollBack('revert');
        await until('the lifting', 5, () => world.connects('peer'));
        expect(await world.connects('client')).toBe(false);
        await world.signal('CONT', sentinel);
        const end = await reverting;
        expect(end).toMatchObject({ code: 0, state: 'REVERTED', fence: { outcome: 'SETTLED' } });
        expect(await world.connects('client')).toBe(true);
        expect(Date.parse(end.fence.loweredAt ?? '') - Date.parse(end.fence.raisedAt ?? '')).toBeLessThan(5_000);
      },
      false,
    ));
});
