import { beforeAll, expect, it } from 'vitest';
import { controlGroups } from '../../host/load.ts';
import { until } from '../../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, inGuest } from '../guest.ts';
import { applied, expectClean, units } from '../units.ts';

describeGuest('systemd above the pair', () => {
  beforeAll(() => bootGuest(), GUEST_TEST_MS);

  // A stop is seen by silence: 3 s. The rest is what a guest kernel takes to start Python.
  it('reverts when both processes get SIGSTOP in the same instant, and nobody calls for it', () =>
    inGuest('network-partition', async (guest) => {
      const { supervisor, runner } = await applied(guest);
      await guest.exec(['kill', '-STOP', supervisor, runner]);
      await until('the lifting', 9, () => guest.connects('peer'));
      expect(await guest.reverted(20)).toMatchObject({ revertReason: 'WATCHDOG_DIED', leftovers: [] });
      await expectClean(guest);
    }));

  it('leaves no unit behind when the fault ends by itself', () =>
    inGuest('network-partition', async (guest) => {
      await applied(guest, { ttlSeconds: '12' });
      expect(await units(guest)).toMatch(/^holdfast-[0-9a-f]{12}\.service loaded active/);
      expect(await guest.reverted(25)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      await expectClean(guest);
    }));

  it('leaves no tombstone and no unit behind for a fault that was refused', () =>
    inGuest('network-partition', async (guest) => {
      expect(await guest.inject({}, false)).toMatchObject({ code: 3, state: 'REFUSED' });
      await expectClean(guest);
      expect((await guest.exec(['test', '-e', `/run/holdfast/${guest.faultId}/tombstone`])).code).toBe(1);
      await applied(guest);
      expect(await guest.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      await expectClean(guest);
    }));

  it('finishes a revert that takes longer than the watchdog of systemd waits', () =>
    inGuest('network-partition', async (guest) => {
      // No Sentinel answers, so the fence stays up for its full 15 s.
      const fence = { fence: 'redis', fenceMasterName: 'shard-1', fenceSentinels: '10.99.0.2:26379' };
      await applied(guest, { ...fence, ttlSeconds: '12' });
      expect(await guest.reverted(50)).toMatchObject({
        revertReason: 'TTL',
        fence: { outcome: 'DEADLINE' },
        leftovers: [],
      });
      await expectClean(guest);
    }));

  it('is done without when it does not start the unit', () =>
    inGuest('network-partition', async (guest) => {
      await guest.exec([
        'bash',
        '-c',
        'printf "#!/bin/sh\\nexit 1\\n" >/run/no; chmod +x /run/no; mount --bind /run/no /usr/bin/systemd-run',
      ]);
      try {
        const { supervisor } = await applied(guest);
        expect(await units(guest)).toBe('');
        await guest.signal('KILL', supervisor);
        await until('the lifting', 8, () => guest.connects('peer'));
        expect(await guest.reverted(20)).toMatchObject({ revertReason: 'WATCHDOG_DIED', leftovers: [] });
      } finally {
        await guest.exec(['umount', '/usr/bin/systemd-run']);
      }
      await expectClean(guest);
    }));

  it('gives the pair the processor that a load on all of them wants as well', () =>
    inGuest(
      'cpu-spike',
      async (guest) => {
        expect(await guest.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
        const { runner } = await guest.pair();
        // What the pair would get beside the load, in ns: measured by one in its group that never has enough.
        const hungry = `load=${await controlGroups(guest)}/cpu.stat
read -r group </proc/${runner}/cgroup; echo 0 >"/sys/fs/cgroup\${group#0::}/cgroup.procs"
usage() { local name rest; read -r name rest <"$load"; echo "$rest"; }
start=$(usage); until=$((SECONDS + 6)); while [ $SECONDS -lt $until ]; do :; done; end=$(usage)
read -r own rest </proc/$$/schedstat; echo "$own $(((end - start) * 1000))"`;
        const { out } = await guest.exec(['bash', '-c', hungry]);
        const [own = 0, load = Number.NaN] = out.split(' ').map(Number);
        expect(own / (own + load)).toBeGreaterThan(0.9);
        expect(await guest.status()).toMatchObject({ state: 'APPLIED' });
        expect(await guest.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
        await until('the end of the unit', 10, async () => (await units(guest)) === '');
      },
      { cores: '1', loadPct: '100' },
    ));
});
