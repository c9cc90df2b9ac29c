import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import type { TargetNode } from '../../../functions/domain/workflow.ts';
import type { ShardProbe } from '../../../functions/engines/shard-probe.ts';
import { faultAtEpochMs } from '../../../functions/probe/fault-time.ts';
import { probe } from '../../../functions/probe/probe.ts';
import { probedShard } from '../../../functions/probe/probed-shard.ts';
import { iso } from '../domain/fixtures.ts';
import { SimulatedClock } from '../guard/simulated-clock.ts';
import { experimentOf, hostFault } from '../inject/fixtures.ts';

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
  const written: { type: string; details: Record<string, unknown> }[] = [];
  const removed: string[] = [];
  const now = () => clock.monotonicMs();
  const shard: ShardProbe = {
    shard: 'shard-1',
    connect: async () => {},
    async write(key, value) {
      const ok = now() < from || now() >= to;
      if (ok && !(loseEvery > 0 && Number(value) % loseEvery === 0)) store.set(key, value);
      return { ok, acknowledged: ok };
    },
    isOnImpacted: async (key, value) => store.get(key) === value,
    masterNode: async () => (to > 0 && now() >= to - 500 ? 'redis-node-1' : 'redis-node-3'),
    readAll: async (keys) => new Map(keys.map((key) => [key, store.get(key) ?? null])),
    removeAll: async (keys) => {
      removed.push(...keys);
    },
    close: () => {},
  };
  const audit = {
    async append(_id: string, type: string, _actor: unknown, details: Record<string, unknown>) {
      written.push({ type, details });
      return {} as never;
    },
    read: async () =>
      [
        ...(now() >= injectedAtMs ? [{ type: 'INJECTED', details: { injectedAt: iso(injectedAtMs / 1000) } }] : []),
        ...(now() >= endMs ? [{ type: 'RECOVERY_VERIFIED' }] : []),
      ] as unknown as AuditEntry[],
  };
  const run = () => probe('exp', shard, { audit, clock, remainingMs: () => remainingMs - now() });
  return { run, shard, written, removed, clock };
}

const measured = (written: { type: string; details: Record<string, unknown> }[]) =>
  written.find((entry) => entry.type === 'PROBE_MEASURED')?.details;

describe('probe', () => {
  it('measures an outage, sees the promotion and finds every acknowledged write again', async () => {
    const { run, written, removed } = world({ outageMs: [5000, 9000] });
    await run();
    const details = measured(written);
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
    expect(written.map((entry) => entry.type)).toEqual(['PROBE_READY', 'PROMOTION_OBSERVED', 'PROBE_MEASURED']);
    expect(removed).toHaveLength(Number(details?.attemptedWrites));
  });

  it('does not take an outage that was over before the fault for the recovery from it', async () => {
    const { run, written } = world({ outageMs: [1000, 3000], injectedAtMs: 8000 });
    await run();
    expect(measured(written)).toMatchObject({ stillFailing: false, outages: 1, provenOnImpacted: true });
    expect(measured(written)).not.toHaveProperty('rtoSeconds');
  });

  it('proves nothing when its first write succeeded only under the fault', async () => {
    const { run, written } = world({ outageMs: [0, 6000], injectedAtMs: 4000 });
    await run();
    expect(measured(written)).toMatchObject({ provenOnImpacted: false });
  });

  it('proves nothing of a fault whose time it never learnt', async () => {
    const { run, written } = world({ outageMs: [5000, 9000], injectedAtMs: Infinity });
    await run();
    expect(measured(written)).toMatchObject({ provenOnImpacted: false });
  });

  it('is never ready when its writes do not reach the impacted nodes', async () => {
    const { run, shard, written } = world({});
    shard.isOnImpacted = async () => false;
    await run();
    expect(written.map((entry) => entry.type)).toEqual(['PROBE_MEASURED']);
    expect(measured(written)).toMatchObject({ provenOnImpacted: false });
  });

  it('finds acknowledged writes that the store has lost', async () => {
    const { run, written } = world({ loseEvery: 100 });
    await run();
    expect(Number(measured(written)?.lostAcknowledgedWrites)).toBeGreaterThan(2);
  });

  it('looks on after the end of the run until a recovery has lasted', async () => {
    const { run, written, clock } = world({ outageMs: [5000, 19_900] });
    await run();
    expect(measured(written)).toMatchObject({ stillFailing: false });
    expect(clock.monotonicMs()).toBeGreaterThan(22_900);
    expect(clock.monotonicMs()).toBeLessThan(36_000);
  });

  it('says that it is still failing when the store does not come back', async () => {
    const { run, written } = world({ outageMs: [5000, 1e9] });
    await run();
    expect(measured(written)).toMatchObject({ stillFailing: true });
    expect(measured(written)).not.toHaveProperty('rtoSeconds');
  });

  it('never reports zero loss when the store could not be read at the end', async () => {
    const { run, shard, written } = world({});
    shard.readAll = () => Promise.reject(new Error('no master'));
    await run();
    expect(measured(written)).toMatchObject({ problems: ['no master'] });
    expect(measured(written)).not.toHaveProperty('lostAcknowledgedWrites');
  });

  it('writes a measurement even when it could never connect', async () => {
    const { run, shard, written } = world({});
    shard.connect = () => Promise.reject(new Error('refused'));
    await run();
    expect(measured(written)).toMatchObject({ stillFailing: true, attemptedWrites: 0, problems: ['refused'] });
  });

  it('ends by itself before its process is ended', async () => {
    const { run, written, clock } = world({ endMs: Infinity, remainingMs: 100_000 });
    await run();
    expect(clock.monotonicMs()).toBeLessThan(45_000);
    expect(measured(written)).toMatchObject({ stillFailing: false });
  });
});

describe('the probed shard', () => {
  const node = (name: string, shard: string): TargetNode => ({
    name,
    shard,
    role: 'replica',
    instanceId: `i-${name}`,
    addresses: [],
    availabilityZone: 'a',
    subnetId: 'subnet-a',
    dataVolumeIds: [],
  });
  const [a, b, c, other] = [node('a', 'one'), node('b', 'two'), node('c', 'two'), node('x', 'two')];
  const resolved = (number: number, impacted: TargetNode[], shardMembers: TargetNode[]) => ({
    faultId: `exp.${number}`,
    impacted,
    peers: [],
    shardMembers,
  });
  const experiment = experimentOf([hostFault(1, 20), hostFault(2, 0), hostFault(3, 0, 'redis-other')]);

  it("is that of the first fault's first node, with every impacted node there of any fault of its cluster", () => {
    const faults = [resolved(1, [b, a], [a, b, c]), resolved(2, [c, a], [a, b, c]), resolved(3, [other], [other])];
    const chosen = probedShard(experiment, { faults, exemptAddresses: {} });
    expect(chosen.shard).toBe('two');
    expect(chosen.members.map(({ name }) => name)).toEqual(['b', 'c']);
    expect(chosen.impacted.map(({ name }) => name)).toEqual(['b', 'c']);
  });

  it('does not exist without resolved targets', () => {
    expect(() => probedShard(experiment, undefined)).toThrow(/targets/);
    expect(() => probedShard(experiment, { faults: [], exemptAddresses: {} })).toThrow(/targets/);
  });
});

describe('the time of the fault', () => {
  const entry = (type: string, seconds: number, details: object = {}) =>
    ({ type, at: iso(seconds), details }) as unknown as AuditEntry;
  const injected = (nodes: object[], services: object[] = []) =>
    entry('INJECTED', 12, { injectedAt: iso(10), nodes, services });

  it("is the first host's word, and of several turns that of the first turn", () => {
    const first = injected([{ appliedAt: iso(9) }, { appliedAt: iso(8) }]);
    const second = injected([{ appliedAt: iso(40) }]);
    expect(faultAtEpochMs([entry('INJECTING', 5), first, entry('INJECTING', 38), second])).toBe(Date.parse(iso(8)));
  });

  it('is the announcement where a service took part: it tells only that the fault has begun', () => {
    const log = [entry('INJECTING', 5), injected([{ appliedAt: iso(9) }], [{ faultId: 'exp.2' }])];
    expect(faultAtEpochMs(log)).toBe(Date.parse(iso(5)));
  });

  it('is unknown when nothing was announced', () => {
    expect(faultAtEpochMs([entry('ADMITTED', 1)])).toBeUndefined();
  });
});
