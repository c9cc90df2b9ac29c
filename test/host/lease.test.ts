import { describe, expect, it } from 'vitest';
import { FOREIGN_RULES, inWorld, type World } from './world.ts';

const NETWORK = 'network-partition';

async function expectFaultThere(world: World): Promise<void> {
  expect(await world.connects('peer')).toBe(false);
  expect(await world.connects('client')).toBe(false);
}

async function expectNothingThere(world: World): Promise<void> {
  expect(await world.filter()).toEqual(FOREIGN_RULES);
  expect(await world.connects('peer')).toBe(true);
  expect(await world.connects('client')).toBe(true);
}

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

describe.concurrent('a fault lives only while someone is watching it', () => {
  it('reverts at the TTL, and only then, when the lease goes on', () =>
    inWorld(NETWORK, async (world) => {
      const applied = await world.inject({ ttlSeconds: '6' });
      expect(applied).toMatchObject({ code: 0, state: 'APPLIED' });
      await expectFaultThere(world);
      const end = await world.reverted(12);
      expect(end).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      const lifeMs = Date.parse(end.liftedAt ?? '') - Date.parse(applied.appliedAt ?? '');
      expect(lifeMs).toBeGreaterThan(5_500);
      expect(lifeMs).toBeLessThan(7_000);
      await expectNothingThere(world);
    }));

  for (const mode of ['frozen', 'hang', 'error'] as const) {
    it(`reverts within 4 s when the lease is ${mode}`, () =>
      inWorld(NETWORK, async (world) => {
        await world.inject();
        await expectFaultThere(world);
        const stoppedMs = Date.now();
        world.setLease({ mode });
        const end = await world.reverted(8);
        expect(end).toMatchObject({ revertReason: 'LEASE_LOST', leftovers: [] });
        expect(Date.parse(end.liftedAt ?? '') - stoppedMs).toBeLessThan(4_000);
        await expectNothingThere(world);
      }));
  }

  it('reverts within 4 s when the kill switch row is missing from the answers', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      world.setLease({ global: 'MISSING' });
      expect(await world.reverted(8)).toMatchObject({ revertReason: 'LEASE_LOST' });
      await expectNothingThere(world);
    }));

  it('reverts within a poll when the lease is released', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      await expectFaultThere(world);
      const releasedMs = Date.now();
      world.setLease({ state: 'RELEASED' });
      const end = await world.reverted(8);
      expect(end).toMatchObject({ revertReason: 'LEASE_RELEASED', leftovers: [] });
      expect(Date.parse(end.liftedAt ?? '') - releasedMs).toBeLessThan(1_500);
      await expectNothingThere(world);
    }));

  it('reverts within a poll when the kill switch is engaged', () =>
    inWorld(NETWORK, async (world) => {
      await world.inject();
      world.setLease({ global: 'RELEASED' });
      expect(await world.reverted(8)).toMatchObject({ revertReason: 'KILL_SWITCH', leftovers: [] });
      await expectNothingThere(world);
    }));
});
