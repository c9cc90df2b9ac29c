import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../host/wire.ts';
import { inWorld } from '../host/world.ts';
import { anchorMs, inDrift, KIND, ntp, WATCHDOG } from './drift.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS } from './guest.ts';

describeGuest('the clock of a host', () => {
  beforeAll(() => bootGuest(), GUEST_TEST_MS);

  it('is wrong by 300 ms with NTP stopped, and right afterwards although no NTP server answers', () =>
    inDrift(300, async (guest, before) => {
      expect(await ntp(guest)).toBe('active');
      expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await ntp(guest)).toBe('inactive');
      expect(Math.abs((await anchorMs(guest)) - before - 300)).toBeLessThan(20);
      expect(await guest.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(Math.abs((await anchorMs(guest)) - before)).toBeLessThan(20);
      expect(await ntp(guest)).toBe('active');
    }));

  it('is right after a restart, and the host tells that it is another boot', () =>
    inDrift(300, async (guest) => {
      const { bootId } = await guest.inject();
      expect(bootId).toMatch(/^[0-9a-f-]{36}$/);
      expect(await guest.status()).toMatchObject({ state: 'APPLIED', bootId });
      await guest.reboot();
      const answer = await guest.rollBack('revert');
      expect(answer).toMatchObject({ code: 0, state: 'NOTHING_TO_REVERT', bootId: expect.stringMatching(/./) });
      expect(answer.bootId).not.toBe(bootId);
      expect(Math.abs(await guest.clockAheadSeconds())).toBeLessThan(0.15);
    }));

  it('leaves lease, signatures and TTL alone when it is wrong by 240 s', () =>
    inDrift(240_000, async (guest, before) => {
      expect(await guest.inject({ ttlSeconds: '12' })).toMatchObject({ code: 0, state: 'APPLIED' });
      const appliedMs = performance.now();
      await until('some polls', 12, async () => performance.now() > appliedMs + 6_000);
      expect(Math.abs((await anchorMs(guest)) - before - 240_000)).toBeLessThan(50);
      expect(await guest.reverted(20)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      expect(Math.abs((await anchorMs(guest)) - before)).toBeLessThan(50);
    }));

  it('is not touched by a program that may not set it', () =>
    inDrift(300, async (guest) => {
      const environment = guest.environment(guest.faultParameters());
      const answer = await guest.exec(['setpriv', '--bounding-set=-sys_time', '--', ...WATCHDOG], environment);
      expect(answer).toMatchObject({ code: 3, out: expect.stringMatching(/may not set the clock/) });
      expect(await ntp(guest)).toBe('active');
    }));

  it('is not touched beyond 500 ms unless the cluster is disposable', () =>
    inDrift(300, async (guest) => {
      for (const offsetMs of ['501', '-501'])
        expect(await guest.inject({ offsetMs })).toMatchObject({
          code: 3,
          reason: expect.stringMatching(/disposable/),
        });
      for (const offsetMs of ['240001', '-240001'])
        expect(await guest.inject({ offsetMs, disposable: 'yes' })).toMatchObject({
          code: 3,
          reason: expect.stringMatching(/^offsetMs: .*240000/),
        });
    }));
});

describe('the clock of a container', () => {
  it('is not touched: it is the clock of the whole machine', () =>
    inWorld(KIND, async (world) => {
      // Whatever the program does, this machine's clock is safe from it.
      const safely = ['setpriv', '--bounding-set=-sys_time', '--', ...WATCHDOG];
      const parameters = world.faultParameters({ offsetMs: '300', disposable: 'no' });
      world.grant(parameters);
      expect(await world.exec(safely, world.environment(parameters))).toMatchObject({
        code: 3,
        out: expect.stringMatching(/this is a container/),
      });
    }));
});
