import { beforeAll, expect, it } from 'vitest';
import { until } from '../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, inGuest } from './guest.ts';
import { applied, expectClean, units } from './units.ts';

describeGuest('systemd above the pair', () => {
  beforeAll(() => bootGuest(), GUEST_TEST_MS);

  it('reverts when both processes get SIGKILL in the same instant, and nobody calls for it', () =>
    inGuest('network-partition', async (guest) => {
      const { supervisor, runner } = await applied(guest);
      await guest.exec(['kill', '-KILL', supervisor, runner]);
      await until('the lifting', 5, () => guest.connects('peer'));
      expect(await guest.reverted(20)).toMatchObject({ revertReason: 'WATCHDOG_DIED', leftovers: [] });
      await expectClean(guest);
    }));

  it('shows no secret in the unit', () =>
    inGuest('network-partition', async (guest) => {
      await applied(guest);
      const name = (await units(guest)).split(' ')[0] ?? '';
      const shown = (
        await guest.exec(['bash', '-c', `systemctl show ${name}; cat /proc/${(await guest.pair()).runner}/cmdline`])
      ).out;
      expect(shown).toContain(guest.faultId);
      expect(shown).not.toMatch(/secret|session-token|ASIATEST/i);
      await guest.rollBack('revert');
    }));
});
