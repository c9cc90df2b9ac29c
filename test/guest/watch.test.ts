import { beforeAll, expect, it } from 'vitest';
import { FOREIGN_RULES, until } from '../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, type Guest, inGuest } from './guest.ts';

const NETWORK = 'network-partition';

/** Injects as the child of a service, as the SSM agent does; systemd kills all that is in its control group. */
async function injectUnderAgent(guest: Guest): Promise<void> {
  const parameters = guest.faultParameters();
  guest.grant(parameters);
  const environment = Object.entries(guest.environment(parameters)).map(([name, value]) => `--setenv=${name}=${value}`);
  const command = '/usr/bin/python3 -B /run/files/program/watchdog.py inject; exec sleep infinity';
  const started = await guest.exec([
    ...['systemd-run', '--quiet', '--unit=agent', '--property=KillMode=control-group', ...environment],
    ...['--', 'bash', '-c', command],
  ]);
  expect(started).toEqual({ code: 0, out: '' });
  await until('the fault', 30, async () => (await guest.status()).state === 'APPLIED');
  expect(await guest.connects('peer')).toBe(false);
}

const KILLED = 137;
const EAT_ALL_MEMORY = ['python3', '-c', 'x = []\nwhile True: x.append(b"x" * (8 << 20))'];

/** Pids that the OOM killer has taken since the boot. */
async function killedForMemory(guest: Guest): Promise<string[]> {
  const { out } = await guest.exec(['dmesg']);
  return [...out.matchAll(/Out of memory: Killed process (\d+)/g)].map(([, pid]) => pid ?? '');
}

async function isAlive(guest: Guest, pid: string): Promise<boolean> {
  return (await guest.exec(['kill', '-0', pid])).code === 0;
}

async function availableMebibytes(guest: Guest): Promise<number> {
  const { out } = await guest.exec(['cat', '/proc/meminfo']);
  return Number(/MemAvailable: +(\d+)/.exec(out)?.[1]) / 1024;
}

describeGuest('a fault on a kernel of its own', () => {
  beforeAll(() => bootGuest(), GUEST_TEST_MS);

  it('stays watched when systemd kills everything in the control group of the agent that injected it', () =>
    inGuest(NETWORK, async (guest) => {
      await injectUnderAgent(guest);
      await guest.exec(['systemctl', 'stop', 'agent']);
      expect((await guest.exec(['systemctl', 'is-active', 'agent'])).code).not.toBe(0);
      expect(await guest.connects('peer')).toBe(false);
      expect(await guest.status()).toMatchObject({ state: 'APPLIED' });
      guest.setLease({ state: 'RELEASED' });
      await until('the lifting', 10, () => guest.connects('peer'));
      expect(await guest.reverted(15)).toMatchObject({ revertReason: 'LEASE_RELEASED', leftovers: [] });
    }));

  it('loses a process that eats all memory to the OOM killer, and never its watchdog', () =>
    inGuest(NETWORK, async (guest) => {
      expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      const pair = await guest.pair();
      expect((await guest.exec(EAT_ALL_MEMORY)).code).toBe(KILLED);
      expect(await killedForMemory(guest)).not.toEqual([]);
      expect(await isAlive(guest, pair.leash)).toBe(true);
      expect(await isAlive(guest, pair.poller)).toBe(true);
      expect(await guest.connects('peer')).toBe(false);
      guest.setLease({ state: 'RELEASED' });
      await until('the lifting', 10, () => guest.connects('peer'));
    }));

  it('puts no memory pressure on a host that has run out, and loses neither store nor watchdog to it', () =>
    inGuest(
      'memory-pressure',
      async (guest) => {
        expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
        const { leash, poller } = await guest.pair();
        const store = (await guest.exec(['pidof', 'redis-server'])).out;
        // 60 % of 477 MiB are 286, of some 430 that are available.
        await until('the pressure', 30, async () => (await availableMebibytes(guest)) < 200);
        expect((await guest.exec(EAT_ALL_MEMORY)).code).toBe(KILLED);
        const killed = await killedForMemory(guest);
        expect(killed).not.toEqual([]);
        for (const pid of [leash, poller, store]) expect(killed).not.toContain(pid);
        expect((await guest.exec(['pidof', 'redis-server'])).out).toBe(store);
        guest.setLease({ state: 'RELEASED' });
        expect(await guest.reverted(20)).toMatchObject({ leftovers: [] });
        expect(await availableMebibytes(guest)).toBeGreaterThan(300);
      },
      { memoryBytes: '0', memoryPct: '60', reserveBytes: String(64 * 1024 * 1024) },
    ));

  it('is lifted by its watchdog alone while /run and the root volume are full', () =>
    inGuest(NETWORK, async (guest) => {
      expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      for (const file of ['/run/fill', '/fill']) {
        await guest.exec(['bash', '-c', `cat /dev/zero >${file}`]);
        expect((await guest.exec(['bash', '-c', `echo more >${file}2`])).code).not.toBe(0);
      }
      guest.setLease({ state: 'RELEASED' });
      await until('the lifting', 10, () => guest.connects('peer'));
      expect(await guest.filter()).toEqual(FOREIGN_RULES);
      await guest.exec(['rm', '/run/fill', '/fill', '/run/fill2', '/fill2']);
      expect(await guest.reverted(20)).toMatchObject({ leftovers: [] });
    }));

  it('can be rolled back by hand while /run and the root volume are full', () =>
    inGuest(NETWORK, async (guest) => {
      expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      for (const file of ['/run/fill', '/fill']) await guest.exec(['bash', '-c', `cat /dev/zero >${file}`]);
      await guest.rollBack('revert').catch(() => undefined);
      await until('the lifting', 10, () => guest.connects('peer'));
      expect(await guest.filter()).toEqual(FOREIGN_RULES);
      await guest.exec(['rm', '/run/fill', '/fill']);
      expect(await guest.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
    }));

  it('is gone after a reset in the middle of it, and an inject that comes late is a fault of its own', () =>
    inGuest(NETWORK, async (guest) => {
      expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await guest.connects('peer')).toBe(false);
      await guest.reboot();
      expect(await guest.connects('peer')).toBe(true);
      expect(await guest.filter()).toEqual(FOREIGN_RULES);
      expect(await guest.rollBack('revert')).toMatchObject({ code: 0, state: 'NOTHING_TO_REVERT' });
    }));
});
