import { beforeAll, expect, it } from 'vitest';
import { until } from '../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, inGuest } from './guest.ts';
import { injectUnderAgent, NETWORK } from './watched.ts';

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
});
