import { describe, expect, it } from 'vitest';
import type { StoreProbe } from '../../../functions/engines/engine.ts';
import { probe } from '../../../functions/probe/probe.ts';
import { type Given, iso, logOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const injecting = (atMs: number): Given => ['INJECTING', {}, atMs / 1000];
/** No host reports: the time of the injection is what counts. */
const injected = (atMs: number): Given => ['INJECTED', { injectedAt: iso(atMs / 1000), nodes: [] }, atMs / 1000];
const ENDED: Given = ['RECOVERY_VERIFIED'];

interface Scenario {
  outageMs?: [from: number, to: number];
  loseEvery?: number;
  endMs?: number;
  injectedAtMs?: number;
  remainingMs?: number;
}

/** A store in memory whose master moves in the middle of its outage. */
function world(scenario: Scenario) {
  const { loseEvery = 0, endMs = 20_000, injectedAtMs = 4000, remainingMs = 900_000 } = scenario;
  const [from, to] = scenario.outageMs ?? [0, 0];
  const clock = new SimulatedClock();
  const store = new Map<string, string>();
  const audit = memoryAuditLog({ clock });
  const removed: string[] = [];
  const now = () => clock.monotonicMs();
  const shard: StoreProbe = {
    shard: 'shard-1',
    connect: async () => {},
    async write(key, value) {
      const ok = now() < from || now() >= to;
      if (ok && !(loseEvery > 0 && Number(value) % loseEvery === 0)) store.set(key, value);
      return { ok, acknowledged: ok };
    },
    isOnImpacted: async (key, value) => store.get(key) === value,
    leader: async () => (to > 0 && now() >= to - 500 ? 'redis-node-1' : 'redis-node-3'),
    readAll: async (keys) => new Map(keys.map((key) => [key, store.get(key) ?? null])),
    removeAll: async (keys) => {
      removed.push(...keys);
    },
    close: () => {},
  };
  /** What the other steps of the run have written by now, before what the probe writes. */
  const read = async () =>
    logOf(
      'exp',
      ...(now() >= injectedAtMs ? [injecting(injectedAtMs), injected(injectedAtMs)] : []),
      ...(now() >= endMs ? [ENDED] : []),
    );
  const dependencies = { audit: { ...audit, read }, clock, remainingMs: () => remainingMs - now() };
  const run = () => probe('exp', shard, dependencies);
  const measured = () => audit.detailsOf('PROBE_MEASURED')[0];
  const written = () => audit.entries.map(({ type }) => type);
  return { run, shard, measured, written, removed, clock };
}

describe('probe', () => {
  it('measures an outage, sees the promotion and finds every acknowledged write again', async () => {
    const { run, removed, measured, written } = world({ outageMs: [5000, 9000] });
    await run();
    const details = measured();
    expect(details).toMatchObject({
      stillFailing: false,
      lostAcknowledgedWrites: 0,
      outages: 1,
      provenOnImpacted: true,
      problems: [],
      promotion: { shard: 'shard-1', from: 'redis-node-3', to: 'redis-node-1' },
    });
    expect(details?.rtoSeconds).toBeCloseTo(4, 1);
    expect(details?.failedWrites).toBe(80);
    expect(written()).toEqual(['PROBE_READY', 'PROMOTION_OBSERVED', 'PROBE_MEASURED']);
    expect(removed).toHaveLength(Number(details?.attemptedWrites));
  });

  it('does not take an outage that was over before the fault for the recovery from it', async () => {
    const { run, measured } = world({ outageMs: [1000, 3000], injectedAtMs: 8000 });
    await run();
    expect(measured()).toMatchObject({ stillFailing: false, outages: 1, provenOnImpacted: true });
    expect(measured()).not.toHaveProperty('rtoSeconds');
  });

  it('proves nothing when its first write succeeded only under the fault', async () => {
    const { run, measured } = world({ outageMs: [0, 6000], injectedAtMs: 4000 });
    await run();
    expect(measured()).toMatchObject({ provenOnImpacted: false });
  });

  it('proves nothing of a fault whose time it never learnt', async () => {
    const { run, measured } = world({ outageMs: [5000, 9000], injectedAtMs: Infinity });
    await run();
    expect(measured()).toMatchObject({ provenOnImpacted: false });
  });

  it('is never ready when its writes do not reach the impacted nodes', async () => {
    const { run, shard, measured, written } = world({});
    shard.isOnImpacted = async () => false;
    await run();
    expect(written()).toEqual(['PROBE_MEASURED']);
    expect(measured()).toMatchObject({ provenOnImpacted: false });
  });

  it('sees no promotion in a store in which no single node leads', async () => {
    const { run, shard, measured, written } = world({ outageMs: [5000, 9000] });
    shard.leader = async () => undefined;
    await run();
    expect(written()).toEqual(['PROBE_READY', 'PROBE_MEASURED']);
    expect(measured()).not.toHaveProperty('promotion');
  });

  it('finds acknowledged writes that the store has lost', async () => {
    const { run, measured } = world({ loseEvery: 100 });
    await run();
    expect(Number(measured()?.lostAcknowledgedWrites)).toBeGreaterThan(2);
  });

  it('looks on after the end of the run until a recovery has lasted', async () => {
    const { run, clock, measured } = world({ outageMs: [5000, 19_900] });
    await run();
    expect(measured()).toMatchObject({ stillFailing: false });
    expect(clock.monotonicMs()).toBeGreaterThan(22_900);
    expect(clock.monotonicMs()).toBeLessThan(36_000);
  });

  it('says that it is still failing when the store does not come back', async () => {
    const { run, measured } = world({ outageMs: [5000, 1e9] });
    await run();
    expect(measured()).toMatchObject({ stillFailing: true });
    expect(measured()).not.toHaveProperty('rtoSeconds');
  });

  it('never reports zero loss when the store could not be read at the end', async () => {
    const { run, shard, measured } = world({});
    shard.readAll = () => Promise.reject(new Error('no master'));
    await run();
    expect(measured()).toMatchObject({ problems: ['no master'] });
    expect(measured()).not.toHaveProperty('lostAcknowledgedWrites');
  });

  it('writes a measurement even when it could never connect', async () => {
    const { run, shard, measured } = world({});
    shard.connect = () => Promise.reject(new Error('refused'));
    await run();
    expect(measured()).toMatchObject({ stillFailing: true, attemptedWrites: 0, problems: ['refused'] });
  });

  it('ends by itself before its process is ended', async () => {
    const { run, clock, measured } = world({ endMs: Infinity, remainingMs: 100_000 });
    await run();
    expect(clock.monotonicMs()).toBeLessThan(45_000);
    expect(measured()).toMatchObject({ stillFailing: false });
  });
});
