import { describe, expect, it } from 'vitest';
import { expectFaultThere, expectNothingThere } from './expect-partition.ts';
import { inWorld, type World } from './world.ts';

const NETWORK = 'network-partition';

async function expectRefused(world: World, reason: RegExp, granted = true): Promise<void> {
  const answer = await world.inject({}, granted);
  expect(answer).toMatchObject({ code: 3, state: 'REFUSED', reason: expect.stringMatching(reason) });
  await expectNothingThere(world);
}

describe.concurrent('nothing is applied that nobody watches', () => {
  it('refuses to apply when the lease grants nothing to this host', () =>
    inWorld(NETWORK, (world) => expectRefused(world, /grants nothing/, false)));

  it('refuses to apply when the grant is for other parameters', () =>
    inWorld(NETWORK, async (world) => {
      world.grant(world.faultParameters({ ttlSeconds: '59' }));
      await expectRefused(world, /grants nothing/, false);
    }));

  it('refuses to apply when the beat does not advance', () =>
    inWorld(NETWORK, async (world) => {
      world.setLease({ mode: 'frozen' });
      await expectRefused(world, /advanced 0 times/);
    }));

  it('refuses to apply when the lease is released', () =>
    inWorld(NETWORK, async (world) => {
      world.setLease({ state: 'RELEASED' });
      await expectRefused(world, /released/);
    }));

  it('refuses to apply when the kill switch is engaged', () =>
    inWorld(NETWORK, async (world) => {
      world.setLease({ global: 'RELEASED' });
      await expectRefused(world, /KILL_SWITCH/);
    }));

  it('refuses to apply when the kill switch cannot be read', () =>
    inWorld(NETWORK, async (world) => {
      world.setLease({ global: 'MISSING' });
      await expectRefused(world, /no row GLOBAL/);
    }));

  it('refuses to apply when the lease table does not answer', () =>
    inWorld(NETWORK, async (world) => {
      world.setLease({ mode: 'hang' });
      await expectRefused(world, /no lease within/);
    }));
});

describe.concurrent('the lease is read as it is', () => {
  it('reads the table that its document names, whatever the sender says', () =>
    inWorld(NETWORK, async (world) => {
      world.grant(world.faultParameters());
      expect(await world.inject({ leaseTable: 'Forged' }, false)).toMatchObject({ code: 0, state: 'APPLIED' });
    }));

  it('refuses to apply when its document names no table', () =>
    inWorld(NETWORK, async (world) => {
      const environment = { ...world.environment(world.faultParameters()), HOLDFAST_LEASE_TABLE: '' };
      const command = ['/usr/bin/python3', '-B', '/run/files/program/watchdog.py', 'inject'];
      expect(await world.exec(command, environment)).toMatchObject({
        code: 3,
        out: expect.stringMatching(/HOLDFAST_LEASE_TABLE: must be set/),
      });
    }));

  for (const clockSkewSeconds of [600, -600]) {
    it(`holds a fault, and ends it by its lease, when the host's clock is wrong by ${clockSkewSeconds} s`, () =>
      inWorld(NETWORK, async (world) => {
        world.setLease({ clockSkewSeconds });
        expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
        await expectFaultThere(world);
        world.setLease({ state: 'RELEASED' });
        expect(await world.reverted(8)).toMatchObject({ revertReason: 'LEASE_RELEASED' });
      }));
  }
});

describe.concurrent('a fault lives only while someone is watching it', () => {
  it('reverts at the TTL, and only then, when the lease goes on', () =>
    inWorld(NETWORK, async (world) => {
      expect(await world.inject({ ttlSeconds: '6' })).toMatchObject({ code: 0, state: 'APPLIED' });
      const appliedMs = Date.now();
      await expectFaultThere(world);
      const lifeMs = (await world.reopenedMs(12)) - appliedMs;
      expect(lifeMs).toBeGreaterThan(5_300);
      expect(lifeMs).toBeLessThan(7_000);
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      await expectNothingThere(world);
    }));

  // A lease that is frozen, hangs or is released, and the kill switch: safety-suite.ts.
  it('reverts within 4 s when the lease table answers with errors', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      await expectFaultThere(world);
      const stoppedMs = Date.now();
      world.setLease({ mode: 'error' });
      expect((await world.reopenedMs(8)) - stoppedMs).toBeLessThan(4_000);
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'LEASE_LOST', leftovers: [] });
      await expectNothingThere(world);
    }));

  it('reverts within 4 s when the kill switch row is missing from the answers', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      await expectFaultThere(world);
      const missingMs = Date.now();
      world.setLease({ global: 'MISSING' });
      expect((await world.reopenedMs(8)) - missingMs).toBeLessThan(4_000);
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'LEASE_LOST' });
      await expectNothingThere(world);
    }));
});
