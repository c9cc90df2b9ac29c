import { describe, expect, it } from 'vitest';
import {
  FIS_INJECTION_DEADLINE_MS,
  GUARD_LAST_ACT_MS,
  INJECTION_DEADLINE_MS,
} from '../../../functions/domain/timing.ts';
import type { Telemetry } from '../../../functions/telemetry/prometheus.ts';
import { baseline, cluster } from './fixtures.ts';
import { world } from './guard-world.ts';

/** Of one evaluation to the next, and a last one after the end. */
const TICK_MS = 1000;

describe('guard', () => {
  it('holds to the end of the TTL and leaves the release to the rollback', async () => {
    const { run, lease, audit, clock } = world({ injectAtMs: 2000 });
    await run();
    expect(lease.state).toBe('HOLD');
    expect(audit.detailsOf('GUARD_STOPPED')).toMatchObject([{ reason: 'TTL' }]);
    // At the TTL itself, not at the scrape after it.
    expect(clock.nowEpochMs() - Date.parse(lease.endsAt ?? '')).toBeGreaterThanOrEqual(0);
    expect(clock.nowEpochMs() - Date.parse(lease.endsAt ?? '')).toBeLessThan(50);
    expect(lease.beat).toBeGreaterThan(60);
  });

  it('releases the lease before it writes anything when a guardrail is breached', async () => {
    const { run, acts, audit, values, dependencies, lease } = world({ injectAtMs: 0 });
    const { renew } = dependencies.leases;
    dependencies.leases.renew = async (...beat) => {
      if (lease.beat === 4) values.errorRatePct = 0.7;
      return renew(...beat);
    };
    await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached', message: expect.stringContaining('0.7') });
    expect(acts.slice(-3)).toEqual(['beat', 'release GUARDRAIL', 'GUARD_STOPPED']);
    expect(audit.detailsOf('GUARD_STOPPED')).toMatchObject([
      { reason: 'GUARDRAIL', evaluations: 6, breaches: [{ guardrail: 'errorRatePct' }] },
    ]);
  });

  it('publishes what it saw and how old the lease had become, after the beat and after the release, and never fails by it', async () => {
    const { run, acts, values, dependencies, lease } = world({ injectAtMs: 0 });
    const ages: (number | undefined)[] = [];
    const { renew } = dependencies.leases;
    dependencies.leases.renew = async (...beat) => {
      if (lease.beat === 3) values.errorRatePct = 0.7;
      return renew(...beat);
    };
    dependencies.publish = (readings, leaseAgeSeconds) => {
      acts.push(`publish ${readings.find(({ guardrail }) => guardrail === 'errorRatePct')?.value}`);
      ages.push(leaseAgeSeconds);
      throw new Error('stdout is closed');
    };
    await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
    // A scrape after the one before, less what the calls took.
    expect(ages).toEqual([undefined, 0.85, 0.85, 0.85, undefined]);
    expect(acts.slice(0, 2)).toEqual(['beat', expect.stringMatching(/^publish /)]);
    expect(acts.slice(-3)).toEqual(['release GUARDRAIL', 'GUARD_STOPPED', 'publish 0.7']);
  });

  it('does not add a beat when telemetry is gone', async () => {
    const { run, acts, state } = world();
    state.failing = 'http_requests_total';
    await expect(run()).rejects.toThrow(/connection refused/);
    expect(acts).toEqual(['release GUARDRAIL', 'GUARD_STOPPED']);
  });

  it('does not add a beat when the kill switch is engaged or cannot be read', async () => {
    const engaged = world();
    engaged.state.killSwitch = true;
    await expect(engaged.run()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(engaged.acts).toEqual(['release KILL_SWITCH', 'GUARD_STOPPED']);

    const unknown = world();
    unknown.dependencies.switches.engaged = () => Promise.reject(new Error('throttled'));
    await expect(unknown.run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
    expect(unknown.acts).toEqual(['release GUARDRAIL', 'GUARD_STOPPED']);
  });

  it('asks for the kill switches of its clusters before each beat, and says who engaged one', async () => {
    const { run, acts, audit, dependencies } = world();
    const asked: (readonly string[])[] = [];
    dependencies.switches.engaged = async (clusters) => {
      asked.push(clusters);
      const engagement = { by: 'arn:aws:iam::1:user/anna', reason: 'a bad release' };
      return asked.length < 3 ? undefined : { cluster: 'redis-master', engaged: true, engagement };
    };
    await expect(run()).rejects.toThrow(/kill switch of redis-master is engaged, by .*anna: a bad release/);
    expect(asked).toEqual(Array(3).fill(['redis-master']));
    expect(acts).toEqual(['beat', 'beat', 'release KILL_SWITCH', 'GUARD_STOPPED']);
    expect(audit.detailsOf('GUARD_STOPPED')).toMatchObject([{ reason: 'KILL_SWITCH' }]);
  });

  it('looks at the clusters that no experiment touches for as long as it watches, and no longer', async () => {
    const { run, acts, task, state } = world();
    task.bystanders = { start: () => acts.push('look'), stop: async () => void acts.push('look no more') };
    state.killSwitch = true;
    await expect(run()).rejects.toThrow();
    expect(acts).toEqual(['look', 'release KILL_SWITCH', 'GUARD_STOPPED', 'look no more']);
  });

  it('ends only when the kill switch that its look at the others engages is engaged, and waits 6 s at most', async () => {
    for (const [takesMs, isWaitedFor] of [
      [3000, true],
      [60_000, false],
    ] as const) {
      const { run, acts, clock, task, state } = world();
      const engage = () => clock.sleep(takesMs).then(() => void acts.push('engaged'));
      task.bystanders = { start: () => {}, stop: engage };
      state.killSwitch = true;
      await expect(run()).rejects.toMatchObject({ name: 'LeaseReleased' });
      expect(acts.includes('engaged')).toBe(isWaitedFor);
      expect(clock.monotonicMs()).toBeLessThanOrEqual(7000);
    }
  });

  it('stops with the reason of the row when somebody else released the lease', async () => {
    const { run, lease, audit } = world();
    Object.assign(lease, { state: 'RELEASED', releaseReason: 'ABORT' });
    await expect(run()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(audit.detailsOf('GUARD_STOPPED')).toMatchObject([{ reason: 'ABORT' }]);
  });

  it('releases the lease when a beat cannot be written', async () => {
    const { run, acts, dependencies } = world();
    dependencies.leases.renew = () => Promise.reject(new Error('timeout'));
    await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
    expect(acts).toEqual(['release GUARDRAIL', 'GUARD_STOPPED']);
  });

  it('does not hold a lease for an injection that never comes', async () => {
    const { run, clock, lease } = world();
    await expect(run()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(lease.releaseReason).toBe('ROLLBACK');
    expect(clock.monotonicMs()).toBeGreaterThan(INJECTION_DEADLINE_MS);
    expect(clock.monotonicMs()).toBeLessThan(INJECTION_DEADLINE_MS + 2 * TICK_MS);
  });

  it('releases the lease before its own process is ended', async () => {
    const { run, state, lease, dependencies } = world({ injectAtMs: 0 });
    state.remainingMs = 30_000;
    await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
    expect(lease.state).toBe('RELEASED');
    expect(dependencies.remainingMs()).toBeGreaterThan(GUARD_LAST_ACT_MS - 2 * TICK_MS);
  });

  it('still breaches when neither the release nor the audit entry can be written', async () => {
    const { run, state, dependencies } = world();
    state.failing = 'http_requests_total';
    dependencies.leases.release = () => Promise.reject(new Error('down'));
    dependencies.audit.append = () => Promise.reject(new Error('down'));
    await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
  });

  describe('over several clusters', () => {
    const other = (given: ReturnType<typeof world>, telemetry = given.telemetry) => {
      given.task.clusters = [...given.task.clusters, { name: 'redis-other', cluster, baseline, telemetry }];
      return given;
    };

    it('keeps one lease, and its readings say of which cluster they are', async () => {
      const { run, lease, dependencies, audit } = other(world({ injectAtMs: 0 }));
      const { renew } = dependencies.leases;
      const clusters = new Set<string>();
      dependencies.leases.renew = async (id, readings) => {
        for (const reading of readings) clusters.add(reading.cluster);
        return renew(id, readings);
      };
      await run();
      expect([...clusters]).toEqual(['redis-master', 'redis-other']);
      expect(audit.detailsOf('GUARD_STOPPED')).toMatchObject([
        { peakP99LatencyMs: { 'redis-master': 14, 'redis-other': 14 } },
      ]);
      expect(lease.state).toBe('HOLD');
    });

    it('releases the one lease when only one of them is breached, and names it', async () => {
      const given = world({ injectAtMs: 0 });
      const broken: Telemetry = { ...given.telemetry, read: () => Promise.reject(new Error('no route')) };
      const { run, acts } = other(given, broken);
      await expect(run()).rejects.toThrow(/^redis-other errorRatePct: could not be read/);
      expect(acts).toEqual(['release GUARDRAIL', 'GUARD_STOPPED']);
    });

    it('looks at all of them at the same time: the slower one decides how long it takes', async () => {
      const given = world({ injectAtMs: 0 });
      const slow: Telemetry = {
        ...given.telemetry,
        async read(source) {
          await given.clock.sleep(600);
          return given.telemetry.read(source);
        },
      };
      given.task.clusters = [];
      const { run, lease } = other(other(given, slow), slow);
      await run();
      // One after the other, an evaluation would last longer than its second.
      expect(lease.beat).toBeGreaterThan(55);
    });
  });

  describe('with a fault that a service applies', () => {
    const heartbeats = (given: ReturnType<typeof world>, heartbeat = async () => {}) => {
      given.task.hasFisFaults = true;
      // Not async: what it throws at once has to come through as it is.
      given.dependencies.heartbeat = (clusters) => {
        given.acts.push(`heartbeat ${clusters.join()}`);
        return heartbeat();
      };
      return given;
    };

    it('says that it watches behind every beat, and no more once it does not', async () => {
      const { run, acts, values, dependencies, lease } = heartbeats(world({ injectAtMs: 0 }));
      const { renew } = dependencies.leases;
      dependencies.leases.renew = async (...beat) => {
        if (lease.beat === 2) values.errorRatePct = 0.7;
        return renew(...beat);
      };
      await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
      const beat = ['beat', 'heartbeat redis-master'];
      expect(acts).toEqual([...beat, ...beat, ...beat, 'release GUARDRAIL', 'GUARD_STOPPED']);
    });

    it('does not say that it watches when the beat could not be written', async () => {
      const { run, acts, dependencies } = heartbeats(world());
      dependencies.leases.renew = () => Promise.reject(new Error('timeout'));
      await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
      expect(acts).toEqual(['release GUARDRAIL', 'GUARD_STOPPED']);
    });

    it.each([
      ['never answers', () => new Promise<void>(() => {})],
      ['fails', () => Promise.reject(new Error('throttled'))],
      [
        'throws at once',
        () => {
          throw new Error('no client');
        },
      ],
    ])('beats on in time when saying so %s', async (_what, heartbeat) => {
      const { run, lease } = heartbeats(world({ injectAtMs: 0 }), heartbeat);
      await run();
      expect(lease.beat).toBeGreaterThan(60);
    });

    it('waits longer for the injection, because the service takes its time', async () => {
      const { run, clock, lease } = heartbeats(world());
      await expect(run()).rejects.toMatchObject({ name: 'LeaseReleased' });
      expect(lease.releaseReason).toBe('ROLLBACK');
      expect(clock.monotonicMs()).toBeGreaterThan(FIS_INJECTION_DEADLINE_MS);
      expect(clock.monotonicMs()).toBeLessThan(FIS_INJECTION_DEADLINE_MS + 2 * TICK_MS);
    });
  });

  it('says nothing to the alarm of service faults when there is none', async () => {
    const { run, dependencies } = world({ injectAtMs: 0 });
    let said = 0;
    dependencies.heartbeat = async () => {
      said += 1;
    };
    await run();
    expect(said).toBe(0);
  });
});
