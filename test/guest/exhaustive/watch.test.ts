import { beforeAll, expect, it } from 'vitest';
import { FOREIGN_RULES, until } from '../../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, inGuest } from '../guest.ts';
import { availableMebibytes, EAT_ALL_MEMORY, isAlive, KILLED, killedForMemory, NETWORK } from '../watched.ts';

describeGuest('a fault on a kernel of its own', () => {
  beforeAll(() => bootGuest(), GUEST_TEST_MS);

  it('loses a process that eats all memory to the OOM killer, and never its watchdog', () =>
    inGuest(NETWORK, async (guest) => {
      expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      const pair = await guest.pair();
      expect((await guest.exec(EAT_ALL_MEMORY)).code).toBe(KILLED);
      expect(await killedForMemory(guest)).not.toEqual([]);
      expect(await isAlive(guest, pair.supervisor)).toBe(true);
      expect(await isAlive(guest, pair.runner)).toBe(true);
      expect(await guest.connects('peer')).toBe(false);
      guest.setLease({ state: 'RELEASED' });
      await until('the lifting', 10, () => guest.connects('peer'));
    }));

  it('puts no memory pressure on a host that has run out, and loses neither store nor watchdog to it', () =>
    inGuest(
      'memory-pressure',
      async (guest) => {
        expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
        const { supervisor, runner } = await guest.pair();
        const store = (await guest.exec(['pidof', 'redis-server'])).out;
        // 60 % of 477 MiB are 286, of some 430 that are available.
        await until('the pressure', 30, async () => (await availableMebibytes(guest)) < 200);
        expect((await guest.exec(EAT_ALL_MEMORY)).code).toBe(KILLED);
        const killed = await killedForMemory(guest);
        expect(killed).not.toEqual([]);
        for (const pid of [supervisor, runner, store]) expect(killed).not.toContain(pid);
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
