import { describe, expect, it } from 'vitest';
import { packetFilter } from './kinds/network-partition.ts';
import { workers } from './load.ts';
import { ADDRESS, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

const KIND = 'network-partition';
const PEERS = { scope: 'peers' };
/** Longer than any of these tests. */
const LONG = '30,5';
/** An element of a set that nobody fills any more lives so long. */
const LIFE_SECONDS = 2;
const PING_SECONDS = 0.02;

/** When pings of the peer were not answered for longer than a hiccup, in seconds; one that had not ended by then is left out. */
async function lossesOf(world: World, seconds: number): Promise<{ from: number; to: number }[]> {
  const words = ['ping', '-D', '-n', `-i${PING_SECONDS}`, `-w${seconds}`, '-I', ADDRESS.peer, ADDRESS.host];
  const { out } = await world.far(words);
  const answers = [...out.matchAll(/^\[([\d.]+)\] .* icmp_seq=/gm)].map(([, at]) => Number(at));
  return answers.slice(1).flatMap((to, index) => {
    const from = answers[index] ?? to;
    return to - from > 0.4 ? [{ from, to }] : [];
  });
}

async function applied(world: World, changes: Record<string, string>): Promise<void> {
  expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
}

describe.concurrent('a loss that comes and goes', () => {
  it.each([
    [KIND, PEERS],
    ['network-loss', { peerAddresses: ADDRESS.peer, packetLossPct: '100', correlationPct: '0' }],
  ])('is there and away for as long as asked, again and again: %s', (kind, changes) =>
    inWorld(kind, async (world) => {
      await applied(world, { ...changes, flap: '1,2' });
      const losses = await lossesOf(world, 11);
      expect(losses.length).toBeGreaterThanOrEqual(3);
      for (const { from, to } of losses) {
        expect(to - from).toBeGreaterThan(0.9);
        expect(to - from).toBeLessThan(1.3);
      }
      losses.slice(1).forEach(({ from }, index) => {
        expect(from - (losses[index]?.from ?? 0)).toBeCloseTo(3, 0);
      });
      expect(await world.status()).toMatchObject({ state: 'APPLIED' });
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await lossesOf(world, 4)).toEqual([]);
    }),
  );

  it('keeps clients away and lets them in together with the peers when it isolates', () =>
    inWorld(KIND, async (world) => {
      await applied(world, { scope: 'isolate', flap: '2,3' });
      for (const isThere of [true, false, true, false]) {
        await until(`${isThere}`, 5, async () => (await world.connects('peer')) !== isThere);
        expect(await world.connects('client')).toBe(!isThere);
      }
    }));

  it('is not taken for gone while it is away, and a host without traffic sees it when it is back', () =>
    inWorld(KIND, async (world) => {
      await applied(world, { ...PEERS, flap: '1,8' });
      expect((await lossesOf(world, 12)).length).toBe(1);
      expect(await world.status()).toMatchObject({ state: 'APPLIED' });
    }));

  it('lets packets pass when its worker is killed while it is there, and ends', () =>
    inWorld(KIND, async (world) => {
      await applied(world, { ...PEERS, flap: LONG });
      expect(await world.connects('peer')).toBe(false);
      const [worker] = await workers(world, 'flap');
      await world.signal('KILL', worker?.pid ?? '');
      await until('the packets', LIFE_SECONDS + 1, () => world.connects('peer'));
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'WORKER_DIED', leftovers: [] });
    }));

  it('lets packets pass when nobody is left: worker, runner and supervisor are stopped at once', () =>
    inWorld(KIND, async (world) => {
      await applied(world, { ...PEERS, flap: LONG, leaseGraceSeconds: '30' });
      expect(await world.connects('peer')).toBe(false);
      const [worker] = await workers(world, 'flap');
      const { supervisor, runner } = await world.pair();
      await world.exec(['kill', '-STOP', supervisor, runner, worker?.pid ?? '']);
      await until('the packets', LIFE_SECONDS + 1, () => world.connects('peer'));
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
    }));

  it('ends when its lease is lost, and at its time while it is away, and leaves nothing', () =>
    inWorld(KIND, async (world) => {
      const before = await packetFilter(world);
      await applied(world, { ...PEERS, flap: LONG, leaseGraceSeconds: '2' });
      world.setLease({ mode: 'frozen' });
      expect(await world.reverted(6)).toMatchObject({ revertReason: 'LEASE_LOST', leftovers: [] });
      expect(await world.connects('peer')).toBe(true);
      expect(await packetFilter(world)).toBe(before);
      expect(await workers(world, 'flap')).toEqual([]);
    }));

  it('ends at its time while it is away, and does not come back', () =>
    inWorld(KIND, async (world) => {
      await applied(world, { ...PEERS, flap: '1,3', ttlSeconds: '7' });
      expect(await world.reverted(10)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      expect(await lossesOf(world, 5)).toEqual([]);
    }));

  it('ends, as EFFECT_LOST, when somebody flushes the packet filter while it is there', () =>
    inWorld(KIND, async (world) => {
      await applied(world, { ...PEERS, flap: LONG });
      await world.exec(['bash', '-c', 'iptables -F']);
      expect(await world.connects('peer')).toBe(true);
      expect(await world.reverted(10)).toMatchObject({ revertReason: 'EFFECT_LOST', leftovers: [] });
    }));

  it.each([
    [KIND, { flap: '5' }, /^flap: .*must match/],
    [KIND, { flap: '0,5' }, /^flap: .*must match/],
    [KIND, { flap: '20,40', ttlSeconds: '60' }, /^flap: comes back after 60 s, but ttlSeconds is 60$/],
    [
      'network-loss',
      { peerAddresses: ADDRESS.peer, packetLossPct: '100', correlationPct: '25', flap: '1,2' },
      /^correlationPct: must be 0 .*flap/,
    ],
  ])('is refused: %s with %j', (kind, changes, reason) =>
    inWorld(kind, async (world) => {
      expect(await world.inject({ ...changes })).toMatchObject({ code: 3, reason: expect.stringMatching(reason) });
      expect(await world.connects('peer')).toBe(true);
    }),
  );

  it('is refused where the kernel has no IP sets, through which alone it ends without anybody', () =>
    inWorld(KIND, async (world) => {
      await world.withoutIpSets();
      const reason = expect.stringMatching(/^flap: needs IP sets/);
      expect(await world.inject({ flap: '1,2' })).toMatchObject({ code: 3, state: 'REFUSED', reason });
      expect(await world.connects('peer')).toBe(true);
    }));
});
