import { beforeAll, expect, it } from 'vitest';
import { until } from '../../host/wire.ts';
import { anchorMs, inDrift, ntp } from '../drift.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS } from '../guest.ts';

describeGuest('the clock of a host', () => {
  beforeAll(() => bootGuest(), GUEST_TEST_MS);

  it('is wrong by -300 ms with NTP stopped, and right afterwards although no NTP server answers', () =>
    inDrift(-300, async (guest, before) => {
      expect(await ntp(guest)).toBe('active');
      expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await ntp(guest)).toBe('inactive');
      expect(Math.abs((await anchorMs(guest)) - before + 300)).toBeLessThan(20);
      expect(await guest.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(Math.abs((await anchorMs(guest)) - before)).toBeLessThan(20);
      expect(await ntp(guest)).toBe('active');
    }));

  it('leaves lease, signatures and TTL alone when it is wrong by -240 s', () =>
    inDrift(-240_000, async (guest, before) => {
      expect(await guest.inject({ ttlSeconds: '12' })).toMatchObject({ code: 0, state: 'APPLIED' });
      const appliedMs = performance.now();
      await until('some polls', 12, async () => performance.now() > appliedMs + 6_000);
      expect(Math.abs((await anchorMs(guest)) - before + 240_000)).toBeLessThan(50);
      expect(await guest.reverted(20)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      expect(Math.abs((await anchorMs(guest)) - before)).toBeLessThan(50);
    }));

  it('stays without NTP when it was without before', () =>
    inDrift(200, async (guest) => {
      await guest.exec(['systemctl', 'stop', 'chrony']);
      expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await guest.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await ntp(guest)).toBe('inactive');
    }));

  it('is put right by the boot clock when someone else has set it meanwhile', () =>
    inDrift(300, async (guest, before) => {
      expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      await guest.exec(['bash', '-c', 'date -s @$(($(date +%s) - 5000))']);
      expect(await guest.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(Math.abs((await anchorMs(guest)) - before)).toBeLessThan(20);
    }));

  it('is set back once: what an operator sets while NTP does not come back stays', () =>
    inDrift(300, async (guest, before) => {
      expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      await guest.exec(['systemctl', 'mask', '--runtime', '--quiet', 'chrony']);
      expect(await guest.rollBack('revert')).toMatchObject({ code: 4, reason: expect.stringMatching(/chrony/) });
      await guest.exec(['bash', '-c', 'date -s @$(($(date +%s) + 5000))']);
      // The pair tries to start NTP as well, every few seconds and perhaps just now.
      const set = await anchorMs(guest);
      expect(Math.abs(set - before - 5_000_000)).toBeLessThan(2_000);
      expect(await guest.rollBack('revert')).toMatchObject({ code: 4, reason: expect.stringMatching(/chrony/) });
      expect(Math.abs((await anchorMs(guest)) - set)).toBeLessThan(20);
      await guest.exec(['systemctl', 'unmask', '--runtime', '--quiet', 'chrony']);
      expect(await guest.reverted(30)).toMatchObject({ leftovers: [] });
      expect(Math.abs((await anchorMs(guest)) - set)).toBeLessThan(20);
      expect(await ntp(guest)).toBe('active');
    }));

  it('is not touched when another unit would be stopped together with NTP, and not be started again', () =>
    inDrift(300, async (guest, before) => {
      const isRefused = async () => {
        expect((await guest.exec(['systemctl', 'is-active', 'dependent'])).out).toBe('active');
        const reason = expect.stringMatching(/dependent.service would be stopped together with chrony.service/);
        expect(await guest.inject()).toMatchObject({ code: 3, state: 'REFUSED', reason });
        expect((await guest.exec(['systemctl', 'is-active', 'dependent', 'chrony'])).out).toBe('active\nactive');
        await guest.exec(['systemctl', 'stop', 'dependent']);
      };
      for (const dependency of ['Requires', 'BindsTo', 'PartOf']) {
        const property = `${dependency}=chrony.service`;
        await guest.exec(['systemd-run', '--quiet', '--collect', '--unit=dependent', '-p', property, 'sleep', '600']);
        await isRefused();
      }
      // Through a unit that has ended.
      const write = `cd /run/systemd/system
printf '[Unit]\\nRequires=chrony.service\\n[Service]\\nType=oneshot\\nExecStart=true\\n' >between.service
printf '[Unit]\\nRequires=between.service\\n[Service]\\nExecStart=sleep 600\\n' >dependent.service
systemctl daemon-reload && systemctl start dependent`;
      await guest.exec(['bash', '-c', write]);
      const between = async () => (await guest.exec(['systemctl', 'is-active', 'between'])).out;
      await until('the end of the unit between', 5, async () => (await between()) === 'inactive');
      await isRefused();
      await guest.exec(['bash', '-c', 'rm /run/systemd/system/{between,dependent}.service; systemctl daemon-reload']);
      expect(Math.abs((await anchorMs(guest)) - before)).toBeLessThan(20);
    }));

  it('is not touched when NTP runs outside of any service that could be stopped and started', () =>
    inDrift(300, async (guest, before) => {
      await guest.exec(['systemctl', 'stop', 'chrony']);
      await guest.exec(['systemd-run', '--quiet', '--collect', '--unit=other-time', 'chronyd', '-n', '-x']);
      await until('the other chronyd', 5, async () => (await guest.exec(['pgrep', '-x', 'chronyd'])).code === 0);
      expect(await guest.inject()).toMatchObject({ code: 3, reason: expect.stringMatching(/is of no active unit/) });
      await guest.exec(['systemctl', 'stop', 'other-time']);
      expect(Math.abs((await anchorMs(guest)) - before)).toBeLessThan(20);
    }));
});
