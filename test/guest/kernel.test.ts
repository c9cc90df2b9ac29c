import { beforeAll, expect, it } from 'vitest';
import { expectDeclaredOnly } from '../commands/expect-declared.ts';
import { ADDRESS } from '../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, inGuest } from './guest.ts';

describeGuest('the guest kernel', () => {
  beforeAll(() => bootGuest(), GUEST_TEST_MS);

  it('has systemd as process 1, with the store and the time service running', () =>
    inGuest('network-partition', async (guest) => {
      expect((await guest.exec(['cat', '/proc/1/comm'])).out).toBe('systemd');
      expect((await guest.exec(['systemctl', 'is-active', 'redis-server', 'chrony'])).out).toBe('active\nactive');
    }));

  it('finds the commands that are declared and no others', () =>
    inGuest('network-partition', (guest) =>
      expectDeclaredOnly(async (script) => (await guest.exec(['bash', '-c', script])).out, ['guest']),
    ));

  it('delays real packets by netem', () =>
    inGuest('network-partition', async (guest) => {
      const roundTripMs = async () => {
        const ping = await guest.far(['ping', '-q', '-c10', '-i0.05', '-I', ADDRESS.peer, ADDRESS.host]);
        return Number(/= [\d.]+\/([\d.]+)/.exec(ping.out)?.[1]);
      };
      expect(await roundTripMs()).toBeLessThan(10);
      await guest.exec(['tc', 'qdisc', 'add', 'dev', 'vec0', 'root', 'netem', 'delay', '80ms']);
      const delayedMs = await roundTripMs();
      expect(delayedMs).toBeGreaterThan(79);
      expect(delayedMs).toBeLessThan(100);
      await guest.exec(['tc', 'qdisc', 'del', 'dev', 'vec0', 'root']);
    }));

  it('moves no clock but its own', () =>
    inGuest('network-partition', async (guest) => {
      const ours = Date.now() - performance.now();
      await guest.exec(['bash', '-c', 'date -s @$(($(date +%s) + 90))']);
      expect(await guest.clockAheadSeconds()).toBeGreaterThan(85);
      expect(Math.abs(Date.now() - performance.now() - ours)).toBeLessThan(1000);
    }));

  it('comes back from a reset with its own files and nothing in memory', () =>
    inGuest('network-partition', async (guest) => {
      await guest.exec(['bash', '-c', 'echo kept >/root/kept; sync; echo gone >/run/gone']);
      await guest.reboot();
      expect((await guest.exec(['cat', '/root/kept'])).out).toBe('kept');
      expect((await guest.exec(['test', '-e', '/run/gone'])).code).not.toBe(0);
      expect((await guest.exec(['systemctl', 'is-active', 'redis-server', 'chrony'])).out).toBe('active\nactive');
    }));
});
