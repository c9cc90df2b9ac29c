import { describe, expect, it } from 'vitest';
import type { Check } from '../../../functions/domain/hypothesis.ts';
import { MAX_SHARDS_OF_LATENCIES } from '../../../functions/domain/limits.ts';
import type { FailoverNews } from '../../../functions/domain/recovery-phases.ts';
import type { KeyedProbe } from '../../../functions/engines/engine.ts';
import { type ProbeDependencies, probe } from '../../../functions/probe/probe.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { type Given, iso, logOf } from '../domain/fixtures.ts';
import { checkOf, hypothesisOf, WRITE_LATENCY } from '../domain/hypothesis-fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const injecting = (atMs: number): Given => ['INJECTING', {}, atMs / 1000];
/** No host reports: the time of the injection is what counts. */
const injected = (atMs: number): Given => ['INJECTED', { injectedAt: iso(atMs / 1000), nodes: [] }, atMs / 1000];
const ENDED: Given = ['RECOVERY_VERIFIED'];

/** A machine that is paused: its monotonic clock stands still meanwhile, as that of a paused sandbox may. */
class PausedClock extends SimulatedClock {
  pausedMs = 0;

  override nowEpochMs(): number {
    return super.nowEpochMs() + this.pausedMs;
  }
}

interface Scenario {
  outageMs?: [from: number, to: number];
  loseEvery?: number;
  endMs?: number;
  injectedAtMs?: number;
  remainingMs?: number;
  shards?: string[];
  /** What the first store says of its failover, and when. */
  news?: [what: FailoverNews['what'], atMs: number][];
  unheard?: string[];
  checks?: Check[];
  readTelemetry?: ProbeDependencies['readTelemetry'];
  announced?: boolean;
  approved?: boolean;
}

/** Stores in memory, the first one's with a master that moves in the middle of its outage. */
function world(scenario: Scenario) {
  const { loseEvery = 0, endMs = 20_000, injectedAtMs = 4000, remainingMs = 900_000, shards = ['shard-1'] } = scenario;
  const clock = new PausedClock();
  const audit = memoryAuditLog({ clock });
  const removed: string[] = [];
  const closed: string[] = [];
  const now = () => clock.monotonicMs();
  const data = new Map(shards.map((shard) => [shard, new Map<string, string>()]));
  const storeOf = (shard: string): KeyedProbe => {
    const stored = () => data.get(shard) ?? new Map<string, string>();
    const [from, to] = (shard === shards[0] && scenario.outageMs) || [0, 0];
    return {
      shard,
      connect: async () => {},
      async write(key, value) {
        const ok = now() < from || now() >= to;
        if (ok && !(loseEvery > 0 && Number(value.split(':').at(-1)) % loseEvery === 0)) stored().set(key, value);
        return ok;
      },
      async read(key) {
        const ok = now() < from || now() >= to;
        return ok ? (stored().get(key) ?? null) : undefined;
      },
      health: async () => (now() < from || now() >= to ? { copies: 2 } : { copies: 1 }),
      copiesMeasure: 'copies',
      listen: (tell, complain) => {
        for (const problem of scenario.unheard ?? []) complain(problem);
        for (const [what, atMs] of scenario.news ?? []) {
          void clock.sleep(atMs).then(() => tell({ what, text: `a Sentinel: ${what}`, uncertaintyMs: 200 }));
        }
      },
      isOnImpacted: async (key, value) => stored().get(key) === value,
      leader: async () => (to > 0 && now() >= to - 500 ? 'redis-node-1' : 'redis-node-3'),
      readAll: async (keys) => new Map(keys.map((key) => [key, stored().get(key) ?? null])),
      removeAll: async (keys) => {
        removed.push(...keys);
      },
      close: () => {
        closed.push(shard);
      },
    };
  };
  const stores = shards.map((shard) => ({ cluster: 'redis-master', store: storeOf(shard) }));
  const [{ store: shard }] = stores as [(typeof stores)[number]];
  const { checks } = scenario;
  const experiment = { ...seedExperiment('exp'), ...(checks ? { hypothesis: hypothesisOf(...checks) } : {}) };
  /** What the other steps of the run have written by now; what the probe writes is looked at apart. */
  const read = async () =>
    logOf(
      'exp',
      ...(scenario.approved
        ? ([
            ['APPROVAL_REQUESTED', {}, 0],
            ['APPROVED', {}, 0],
          ] as const)
        : []),
      ['ADMITTED', { experiment }, 0],
      ...(scenario.announced ? [['ANNOUNCED', {}, 0] as const] : []),
      ...(now() >= injectedAtMs ? [injecting(injectedAtMs), injected(injectedAtMs)] : []),
      ...(now() >= endMs ? [ENDED] : []),
    );
  const dependencies: ProbeDependencies = {
    ...{ audit: { ...audit, read }, clock, remainingMs: () => remainingMs - now(), invocation: 'one' },
    readTelemetry: scenario.readTelemetry ?? (async () => undefined),
  };
  const run = ({
    audit: other,
    ...change
  }: {
    audit?: Partial<ProbeDependencies['audit']>;
    invocation?: string;
  } = {}) => probe('exp', stores, { ...dependencies, ...change, audit: { ...dependencies.audit, ...other } });
  const measured = () => audit.detailsOf('PROBE_MEASURED')[0];
  const written = () => audit.entries.map(({ type }) => type).filter((type) => type !== 'LATENCY_RECORDED');
  return { run, audit, data, shard, measured, written, removed, closed, clock };
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
    expect(details?.unavailableSeconds).toBe(details?.rtoSeconds);
    expect(details?.failedWrites).toBe(80);
    expect(written()).toEqual(['PROBE_READY', 'PROMOTION_OBSERVED', 'PROBE_MEASURED']);
    expect(removed).toHaveLength(Number(details?.attemptedWrites));
  });

  it('says how the shard came back: detected, elected, clients recovered, fully replicated', async () => {
    const news: Scenario['news'] = [
      ['DETECTED', 2000],
      ['SUSPECTED', 6800],
      ['DETECTED', 7000],
      ['ELECTED', 8000],
    ];
    const { run, measured } = world({ outageMs: [5000, 9000], news });
    await run();
    expect(measured()?.phases).toEqual([
      {
        ...{ phase: 'DETECTED', at: iso(7), secondsAfterFault: 3, uncertaintyMs: 200 },
        event: 'a Sentinel: DETECTED; 200 ms before: a Sentinel: SUSPECTED',
      },
      { phase: 'ELECTED', at: iso(8), secondsAfterFault: 4, uncertaintyMs: 200, event: 'a Sentinel: ELECTED' },
      {
        ...{ phase: 'CLIENTS_RECOVERED', at: iso(9), secondsAfterFault: 5, uncertaintyMs: 50 },
        event: expect.stringMatching(/operation of the probe/),
      },
      {
        ...{ phase: 'FULLY_REPLICATED', at: iso(9), secondsAfterFault: 5, uncertaintyMs: 1000 },
        event: expect.stringMatching(/2 copies/),
      },
    ]);
  });

  it('is as sure of when clients recovered when another outage came later', async () => {
    const { run, shard, clock, measured } = world({ outageMs: [5000, 9000] });
    const { write } = shard;
    const isOut = () => clock.monotonicMs() >= 14_000 && clock.monotonicMs() < 15_000;
    shard.write = async (key, value) => !isOut() && write(key, value);
    await run();
    expect(measured()?.outages).toBe(2);
    expect(measured()?.phases?.find(({ phase }) => phase === 'CLIENTS_RECOVERED')).toMatchObject({
      ...{ at: iso(9), uncertaintyMs: 50 },
    });
  });

  it('says what of a failover it was not allowed to hear', async () => {
    const { run, measured } = world({ unheard: ['Sentinel of redis-node-1: +odown: NOPERM'] });
    await run();
    expect(measured()?.problems).toEqual(['Sentinel of redis-node-1: +odown: NOPERM']);
  });

  it('has no election, and no phase at all, of a fault that came to nothing, and none of one whose time it never learnt', async () => {
    const quiet = world({});
    await quiet.run();
    expect(quiet.measured()?.phases).toEqual([]);
    const unknown = world({ outageMs: [5000, 9000], injectedAtMs: Infinity, news: [['ELECTED', 8000]] });
    await unknown.run();
    expect(unknown.measured()).not.toHaveProperty('phases');
  });

  it('finds out a store that promises a write and then reads something older, and tells it from one that gives no answer', async () => {
    const lying = world({});
    const { read } = lying.shard;
    lying.shard.read = async (key) => (Number(key.split(':').at(-1)) % 100 === 0 ? 'older' : read(key));
    await lying.run();
    expect(lying.measured()).toMatchObject({ staleReads: 4, failedWrites: 4, lostAcknowledgedWrites: 0 });
    const silent = world({});
    const readSilently = silent.shard.read;
    silent.shard.read = async (key) => (Number(key.split(':').at(-1)) % 100 === 0 ? undefined : readSilently(key));
    await silent.run();
    expect(silent.measured()).toMatchObject({ staleReads: 0, failedWrites: 4, latency: { readMs: { failed: 4 } } });
  });

  it('takes no read for stale whose write was not promised', async () => {
    const { run, shard, measured } = world({ outageMs: [5000, 9000] });
    const { read } = shard;
    shard.read = async (key) => (await read(key)) ?? null;
    await run();
    expect(measured()).toMatchObject({ staleReads: 0, failedWrites: 80 });
  });

  it('times writes and reads apart, from the fault on, and counts every failure as the longest there is', async () => {
    const { run, shard, clock, measured } = world({ outageMs: [5000, 6000], injectedAtMs: 4000 });
    const { write, read } = shard;
    shard.write = async (key, value) => {
      await clock.sleep(2);
      return write(key, value);
    };
    shard.read = async (key) => {
      await clock.sleep(1);
      return read(key);
    };
    await run();
    const { latency, attemptedWrites = 0 } = measured() ?? {};
    expect(latency?.writeMs).toEqual({
      ...{ count: attemptedWrites - 80, p50: 2, p90: 2, p99: 60_000, max: 60_000, failed: 20 },
    });
    expect(latency?.readMs).toMatchObject({ count: attemptedWrites - 80, p50: 1, p90: 1, p99: 60_000, failed: 20 });
  });

  it('reads on while writes hang: an outage that shows late in writes does not hide its first second from reads', async () => {
    const { run, shard, clock, audit } = world({ outageMs: [5000, 8000] });
    const { write } = shard;
    const isOut = () => clock.monotonicMs() >= 5000 && clock.monotonicMs() < 8000;
    shard.write = async (key, value) => {
      if (!isOut()) return write(key, value);
      await clock.sleep(1000);
      return false;
    };
    await run();
    const reads = audit.detailsOf('LATENCY_RECORDED').find(({ operation }) => operation === 'read');
    expect(reads?.failed.slice(4, 9)).toEqual([0, 19, 20, 20, 0]);
  });

  it('takes no read for stale that came before the promise, and reads back behind it', async () => {
    const { run, shard, clock, measured } = world({});
    const { write } = shard;
    shard.write = async (key, value) => {
      await clock.sleep(80);
      return write(key, value);
    };
    await run();
    expect(measured()).toMatchObject({ staleReads: 0, failedWrites: 0, latency: { readMs: { failed: 0, max: 0 } } });
    const lying = world({});
    const slow = lying.shard.write;
    lying.shard.write = async (key, value) => {
      await lying.clock.sleep(80);
      return slow(key, value);
    };
    lying.shard.read = async () => 'older';
    await lying.run();
    expect(lying.measured()?.staleReads).toBe(lying.measured()?.acknowledgedWrites);
  });

  it('keeps a histogram of each second, of writes and of reads, before it says what it measured', async () => {
    const { run, audit } = world({ outageMs: [5000, 7000] });
    await run();
    const [writes, reads] = audit.detailsOf('LATENCY_RECORDED');
    expect([writes?.operation, reads?.operation]).toEqual(['write', 'read']);
    expect(writes).toMatchObject({ cluster: 'redis-master', shard: 'shard-1', invocation: 'one' });
    expect(iso(0)).toBe(new Date(1000 * (writes?.fromSecond ?? 0)).toISOString());
    expect(writes?.failed.slice(4, 8)).toEqual([0, 20, 20, 0]);
    expect(writes?.histograms.slice(4, 8).map((text) => text !== '')).toEqual([true, false, false, true]);
    expect(audit.entries.at(-1)?.type).toBe('PROBE_MEASURED');
  });

  it('keeps the latencies of no more shards than the API can answer with, and measures all of them', async () => {
    const shards = Array.from({ length: MAX_SHARDS_OF_LATENCIES + 2 }, (_, index) => `shard-${index + 1}`);
    const { run, audit } = world({ shards });
    await run();
    expect(new Set(audit.detailsOf('LATENCY_RECORDED').map(({ shard }) => shard)).size).toBe(MAX_SHARDS_OF_LATENCIES);
    expect(audit.detailsOf('PROBE_MEASURED').filter(({ latency }) => latency)).toHaveLength(shards.length);
  });

  it('measures all the same when the latencies could not be written', async () => {
    const { run, audit, measured } = world({});
    const append: typeof audit.append = async (...entry) => {
      if (entry[1] === 'LATENCY_RECORDED') throw new Error('throttled');
      return audit.append(...entry);
    };
    await run({ audit: { append } });
    expect(measured()?.problems).toEqual(Array(2).fill(expect.stringMatching(/LATENCY_RECORDED .*throttled/)));
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
    const { lostAcknowledgedWrites = Number.NaN, lossSpanSeconds } = measured() ?? {};
    expect(lostAcknowledgedWrites).toBeGreaterThan(2);
    // Every hundredth of 20 a second.
    expect(lossSpanSeconds).toBeCloseTo((lostAcknowledgedWrites - 1) * 5, 1);
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
    expect(clock.monotonicMs()).toBeLessThan(65_000);
    expect(measured()).toMatchObject({ stillFailing: false });
  });

  it('says from when to when it looked, and that it never stopped', async () => {
    const { run, measured } = world({ endMs: 20_000 });
    await run();
    const { observedFrom = '', observedUntil = '', largestGapSeconds } = measured() ?? {};
    expect(observedFrom).toBe(iso(0));
    expect(Date.parse(observedUntil)).toBeGreaterThan(Date.parse(iso(23)));
    expect(largestGapSeconds).toBe(0.05);
  });

  it.each([
    ['by its own clock', (clock: PausedClock) => clock.advance(40_000)],
    [
      'by the clock of the world alone, as when the machine was paused',
      (clock: PausedClock) => {
        clock.pausedMs = 40_000;
      },
    ],
  ])('says for how long it did nothing under the fault, %s', async (_by, pause) => {
    const { run, shard, clock, measured } = world({ endMs: 80_000 });
    const { write } = shard;
    let paused = false;
    shard.write = async (key, value) => {
      if (!paused && clock.monotonicMs() > 12_000) {
        paused = true;
        pause(clock);
      }
      return write(key, value);
    };
    await run();
    expect(measured()?.rtoSeconds).toBeUndefined();
    expect(measured()?.largestGapSeconds).toBeCloseTo(40, 0);
  });

  it('does not charge the run with a pause that was over before the fault', async () => {
    const { run, shard, clock, measured } = world({ injectedAtMs: 10_000 });
    const { write } = shard;
    shard.write = async (key, value) => {
      if (clock.monotonicMs() === 1000) clock.advance(2000);
      return write(key, value);
    };
    await run();
    expect(measured()?.largestGapSeconds).toBe(0.05);
  });

  it('does not hide the loss of another invocation of the same event: their keys and values differ', async () => {
    const { run, audit, clock, data } = world({});
    // A replica that was behind takes over: what was acknowledged in three seconds is gone.
    const [stored] = data.values();
    let behind: [string, string][] = [];
    void clock.sleep(5000).then(() => {
      behind = [...(stored ?? [])];
    });
    void clock.sleep(8000).then(() => {
      stored?.clear();
      for (const [key, value] of behind) stored?.set(key, value);
    });
    const later = async () => {
      await clock.sleep(3200);
      await run({ invocation: 'two' });
    };
    await Promise.all([run(), later()]);
    const lost = audit.detailsOf('PROBE_MEASURED').map((each) => [each.invocation, each.lostAcknowledgedWrites]);
    expect(Object.fromEntries(lost)).toEqual({ one: expect.any(Number), two: expect.any(Number) });
    for (const [, writes] of lost) expect(writes).toBeGreaterThan(30);
  });

  it.each(['INJECTING', 'PROBE_READY', 'CHECK_CHANGED', 'ROLLING_BACK', 'CONCLUDED'] as const)(
    'writes nothing when its event is so late that the log has %s',
    async (type) => {
      const { run, data, written, closed } = world({});
      await run({ audit: { read: async () => logOf('exp', ['ADMITTED'], [type]) } });
      expect(data.get('shard-1')?.size).toBe(0);
      expect(written()).toEqual([]);
      expect(closed).toEqual(['shard-1']);
    },
  );

  it.each(['announced', 'approved'] as const)('is not late because the start was %s', async (what) => {
    const { run, measured } = world({ [what]: true });
    await run();
    expect(measured()).toMatchObject({ provenOnImpacted: true });
  });

  it('writes nothing when it cannot know how late it is', async () => {
    const { run, data } = world({});
    const read = () => Promise.reject(new Error('no answer'));
    await expect(run({ audit: { read } })).rejects.toThrow('no answer');
    expect(data.get('shard-1')?.size).toBe(0);
  });

  it('measures every shard on its own', async () => {
    const { run, audit } = world({ shards: ['shard-1', 'shard-2', 'shard-3'], outageMs: [5000, 9000] });
    await run();
    expect(audit.detailsOf('PROBE_READY').map(({ shard: name }) => name)).toEqual(['shard-1', 'shard-2', 'shard-3']);
    const measured = audit.detailsOf('PROBE_MEASURED').map((each) => [each.shard, each.rtoSeconds, each.failedWrites]);
    expect(measured).toEqual([
      ['shard-1', expect.closeTo(4, 1), 80],
      ['shard-2', undefined, 0],
      ['shard-3', undefined, 0],
    ]);
  });

  it('appends one entry at a time: shards that append at once would lose against each other', async () => {
    const { run, audit } = world({ shards: ['shard-1', 'shard-2', 'shard-3', 'shard-4'] });
    let appending = 0;
    let most = 0;
    const append: typeof audit.append = async (...entry) => {
      most = Math.max(most, ++appending);
      await new Promise((resolve) => setImmediate(resolve));
      appending -= 1;
      return audit.append(...entry);
    };
    await run({ audit: { append } });
    expect(most).toBe(1);
  });

  const writes = checkOf({ name: 'writes', measure: WRITE_LATENCY, tolerance: { atMost: 50, unit: 'ms' } });
  const copies = checkOf({
    ...{ name: 'copies', measure: { kind: 'ENGINE', name: 'copies' }, tolerance: { atLeast: 2, unit: 'replicas' } },
    ...{ when: 'AFTER_ROLLBACK', withinSeconds: 5 },
  });
  const PROBED = { cluster: 'redis-master', shard: 'shard-1', invocation: 'one' };

  it('is ready only when it has seen a whole window, and says what every check was that must hold before', async () => {
    const { run, audit } = world({
      checks: [writes, copies, { ...copies, name: 'steady copies', when: 'STEADY' }],
      injectedAtMs: 9000,
    });
    await run();
    const [ready, ...others] = audit.entries.filter(({ type }) => type === 'PROBE_READY');
    expect(others).toEqual([]);
    expect(ready?.at).toBe(iso(6));
    expect(ready?.details).toEqual({
      ...PROBED,
      checks: [
        { check: 'writes', value: 0, held: true },
        { check: 'steady copies', value: 2, held: true },
      ],
    });
  });

  it('is ready only then for what must happen after the fault too, which nobody would know not to have been before', async () => {
    const happens = { ...copies, when: 'HAPPENS' as const };
    const { run, audit } = world({ checks: [happens], injectedAtMs: 9000 });
    await run();
    const [ready] = audit.entries.filter(({ type }) => type === 'PROBE_READY');
    expect(ready?.at).toBe(iso(6));
    expect(ready?.details).toEqual(PROBED);
  });

  it('says of a check that it does not hold or is not known, and is ready all the same: the injection refuses', async () => {
    const { run, shard, clock, audit } = world({
      checks: [writes, { ...copies, when: 'BEFORE' }],
      injectedAtMs: 15_000,
    });
    shard.health = async () => ({});
    const { write } = shard;
    shard.write = async (key, value) => {
      await clock.sleep(80);
      return write(key, value);
    };
    await run();
    expect(audit.detailsOf('PROBE_READY')).toEqual([
      {
        ...PROBED,
        checks: [
          { check: 'writes', value: 80, held: false, reason: 'is 80 ms, it must be at most 50 ms' },
          { check: 'copies', held: false, reason: 'was not known at 5 s of its window' },
        ],
      },
    ]);
  });

  it('tells within a second how checks stand, of the worst shard, and again when that changes', async () => {
    const { run, audit } = world({
      checks: [writes, copies],
      shards: ['shard-1', 'shard-2'],
      ...{ outageMs: [10_000, 12_000], injectedAtMs: 9000, endMs: 25_000 },
    });
    await run();
    const told = audit.entries.flatMap(({ type, at, details }) =>
      type === 'CHECK_CHANGED' ? [{ at, ...details }] : [],
    );
    expect(told).toEqual([
      { at: iso(6), check: 'writes', state: 'HOLDS', value: 0 },
      { at: iso(6), check: 'copies', state: 'HOLDS', value: 2 },
      { at: iso(11), check: 'writes', state: 'FAILS', value: 60_000 },
      { at: iso(11), check: 'copies', state: 'FAILS', value: 1 },
      { at: iso(13), check: 'copies', state: 'HOLDS', value: 2 },
      { at: iso(17), check: 'writes', state: 'HOLDS', value: 0 },
    ]);
  });

  it('tells what telemetry says, and that nobody knows it', async () => {
    const answers = [...Array(7).fill(20), 300, undefined];
    const { run, audit } = world({ checks: [checkOf()], readTelemetry: async () => answers.shift() });
    await run();
    expect(audit.detailsOf('CHECK_CHANGED')).toEqual([
      { check: 'lag', state: 'HOLDS', value: 20 },
      { check: 'lag', state: 'FAILS', value: 300 },
      { check: 'lag', state: 'UNKNOWN' },
    ]);
    expect(audit.detailsOf('CHECKS_OBSERVED')).toEqual([]);
  });

  it('does not fill the log with a check that changes every second', async () => {
    const { run, shard, audit } = world({ checks: [copies, { ...copies, name: 'again' }], endMs: 150_000 });
    let looks = 0;
    shard.health = async () => ({ copies: 1 + (looks++ % 2) });
    await run();
    expect(audit.detailsOf('CHECK_CHANGED')).toHaveLength(200);
    expect(audit.detailsOf('PROBE_MEASURED')).toHaveLength(1);
  });

  it('does not wait for a log that is slow to take news: no operation is late, and what is over by then is not told', async () => {
    const { run, shard, clock, audit, measured } = world({ checks: [copies], endMs: 40_000 });
    let looks = 0;
    shard.health = async () => ({ copies: 1 + (looks++ % 2) });
    const append: typeof audit.append = async (...entry) => {
      if (entry[1] === 'CHECK_CHANGED') await clock.sleep(5000);
      return audit.append(...entry);
    };
    await run({ audit: { append } });
    expect(measured()?.largestGapSeconds).toBe(0.05);
    expect(audit.detailsOf('CHECK_CHANGED').length).toBeGreaterThan(3);
    expect(audit.detailsOf('CHECK_CHANGED').length).toBeLessThan(12);
  });

  it('writes down the value of each second, null where it is not known, and looks on until no window holds the end', async () => {
    const { run, shard, audit, measured } = world({
      checks: [
        writes,
        copies,
        checkOf({ name: 'loss', measure: { kind: 'PROBE', name: 'lostAcknowledgedWrites' } }),
        checkOf(),
      ],
      ...{ outageMs: [10_000, 12_000], injectedAtMs: 9000, endMs: 20_000 },
    });
    const { health } = shard;
    let looks = 0;
    shard.health = async () => (looks++ === 14 ? {} : health());
    await run();
    const [observed, ...others] = audit.detailsOf('CHECKS_OBSERVED');
    expect(others).toEqual([]);
    expect(observed?.probed).toEqual(PROBED);
    expect(observed?.fromSecond).toBe(Date.parse(iso(0)) / 1000);
    const [latency, health_] = observed?.series ?? [];
    expect(observed?.series.map(({ check }) => check)).toEqual(['writes', 'copies']);
    expect(latency?.values.slice(0, 17)).toEqual([
      ...[null, null, null, null, 0, 0, 0, 0, 0, 0],
      ...[60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 0],
    ]);
    expect(latency).not.toHaveProperty('problem');
    expect(health_?.values.slice(8, 17)).toEqual([2, 2, 1, 1, 2, 2, null, 2, 2]);
    expect(health_?.problem).toBe('the store did not say its copies');
    expect(latency?.values.length).toBeGreaterThanOrEqual(27);
    expect(latency?.values.slice(17)).toEqual(latency?.values.slice(17).map(() => 0));
    expect(Date.parse(measured()?.observedUntil ?? '')).toBeGreaterThanOrEqual(Date.parse(iso(27.9)));
    expect(audit.entries.at(-1)?.type).toBe('PROBE_MEASURED');
  });

  it('says nothing of checks, and looks on no longer than it must, without a hypothesis', async () => {
    const { run, audit, clock } = world({ endMs: 20_000 });
    await run();
    expect(audit.entries.filter(({ type }) => type === 'CHECK_CHANGED' || type === 'CHECKS_OBSERVED')).toEqual([]);
    expect(audit.detailsOf('PROBE_READY')).toEqual([PROBED]);
    expect(clock.monotonicMs()).toBeLessThan(26_000);
  });

  it('goes on after a rollback that failed: the recovery behind it is verified all the same', async () => {
    const { run, clock, measured } = world({});
    const read = async () =>
      logOf(
        'exp',
        ['ADMITTED', {}, 0],
        ...(clock.monotonicMs() >= 4000 ? [injecting(4000)] : []),
        ...(clock.monotonicMs() >= 10_000 ? [['ROLLBACK_FAILED'] as const] : []),
        ...(clock.monotonicMs() >= 30_000 ? [ENDED] : []),
      );
    await run({ audit: { read } });
    expect(Date.parse(measured()?.observedUntil ?? '')).toBeGreaterThan(Date.parse(iso(30)));
  });
});
