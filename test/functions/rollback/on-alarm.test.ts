import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { TTL_SECONDS } from '../../../functions/domain/timing.ts';
import { type AlarmStateChange, type OnAlarmDependencies, onAlarm } from '../../../functions/rollback/on-alarm.ts';
import type { Lease } from '../../../functions/tables/leases.ts';
import { configuration } from '../domain/configuration-fixtures.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { iso, logAfter, logOf, runUntil } from '../domain/fixtures.ts';
import { expectedAlert, hypothesisOf } from '../domain/hypothesis-fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { leaseOf, memoryLeases } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const ID = 'exp_chaos_redis_019';
/** The fault of `runUntil` was announced at second 2. */
const NOW = iso(21);
const DETAIL = 'orders-5xx (CRITICAL): threshold crossed';

interface Plane {
  value?: string;
  holder?: string | undefined;
  entries?: AuditEntry[] | Error;
  appendFails?: boolean;
  auditHangs?: boolean;
  event?: AlarmStateChange;
  lease?: Lease;
  firedAt?: string;
  alarmStates?: OnAlarmDependencies['alarmStates'];
  acts?: string[];
}

async function alarm(alarmName: string, options: Plane = {}) {
  const { acts = [] } = options;
  const entries = options.entries ?? runUntil('INJECTED');
  const log = memoryAuditLog({
    entries: entries instanceof Error ? [] : entries,
    onAppend: ({ type }) => acts.push(type),
  });
  const hang = () => new Promise<never>(() => {});
  const result = await onAlarm(
    options.event ?? {
      detail: {
        alarmName,
        state: { value: options.value ?? 'ALARM', reason: 'threshold crossed', timestamp: options.firedAt ?? iso(20) },
      },
    },
    {
      clusters: configuration().clusters,
      locks: { holder: async () => ('holder' in options ? options.holder : ID) },
      audit: {
        read: async (id) => {
          if (options.auditHangs) return hang();
          if (entries instanceof Error) throw entries;
          return log.read(id);
        },
        appendOnce: async (...entry) => {
          if (options.auditHangs) return hang();
          if (options.appendFails) throw new Error('no answer');
          return log.appendOnce(...entry);
        },
      },
      leases: memoryLeases(options.lease, (reason) => acts.push(`release ${reason}`)),
      alarmStates: options.alarmStates ?? (async () => new Map()),
      clock: new SimulatedClock(Date.parse(NOW)),
    },
  );
  return { written: log.detailsOf('ALARM_ARRIVED'), acts, ...result };
}

function tolerating(safetyThreshold: Partial<ReturnType<typeof seedExperiment>['safetyThreshold']>) {
  const experiment = seedExperiment();
  return logOf(ID, [
    'ADMITTED',
    { experiment: { ...experiment, safetyThreshold: { ...experiment.safetyThreshold, ...safetyThreshold } } },
  ]);
}

describe('an alarm', () => {
  it('above the tolerated severity releases the lease and is recorded', async () => {
    expect(await alarm('orders-5xx')).toEqual({
      written: [],
      acts: ['release ALARM', 'ABORT_REQUESTED'],
      ...{ released: [ID], expected: [], ignored: [] },
    });
  });

  it.each([{ appendFails: true }, { auditHangs: true }])(
    'releases the lease although it cannot be recorded, and is delivered again: %j',
    async (failing) => {
      const acts: string[] = [];
      await expect(alarm('orders-5xx', { ...failing, acts })).rejects.toThrow('no answer');
      expect(acts).toEqual(['release ALARM']);
    },
  );

  it('is recorded when it is delivered again after a release that could not be recorded', async () => {
    const lease = leaseOf({ state: 'RELEASED', releaseReason: 'ALARM', releaseDetail: DETAIL });
    expect(await alarm('orders-5xx', { lease })).toMatchObject({ acts: ['ABORT_REQUESTED'], released: [ID] });
    const entries = logAfter(runUntil('INJECTED'), ['ABORT_REQUESTED', { reason: 'ALARM', detail: DETAIL }, 20]);
    expect((await alarm('orders-5xx', { lease, entries })).acts).toEqual([]);
  });

  it('releases the lease when the terms of the experiment cannot be read', async () => {
    expect((await alarm('orders-slow', { entries: new Error('no answer') })).released).toEqual([ID]);
    expect((await alarm('orders-slow', { entries: [] })).released).toEqual([ID]);
  });

  it('releases a lease that is held', async () => {
    expect((await alarm('orders-5xx', { lease: leaseOf() })).released).toEqual([ID]);
  });

  it.each<[what: string, alarmName: string, options: Plane]>([
    ['of a tolerated severity', 'orders-slow', {}],
    [
      'when the experiment asked for no rollback',
      'orders-5xx',
      { entries: tolerating({ automaticRollbackOnAlert: false }) },
    ],
    ['that no cluster configures', 'other', {}],
    ['that is OK again', 'orders-5xx', { value: 'OK' }],
    [
      'after the lease was released for another reason',
      'orders-5xx',
      { lease: leaseOf({ state: 'RELEASED', releaseReason: 'GUARDRAIL', releaseDetail: DETAIL }) },
    ],
    ['of a cluster that nobody holds', 'orders-5xx', { holder: undefined }],
  ])('%s is ignored and said so', async (_name, alarmName, options) => {
    const { acts, released, ignored } = await alarm(alarmName, options);
    expect([acts, released]).toEqual([[], []]);
    expect(ignored).toHaveLength(1);
  });

  it('of any severity releases the lease when none is tolerated', async () => {
    expect((await alarm('orders-slow', { entries: tolerating({ maxAlertSeverity: 'NONE' }) })).released).toEqual([ID]);
  });

  describe('that the experiment expects', () => {
    const hypothesis = hypothesisOf(expectedAlert('orders-5xx'));
    const running = runUntil('INJECTED', { ADMITTED: { experiment: { ...seedExperiment(), hypothesis } } });

    it('does not end it, and its arrival is in the log', async () => {
      const { acts, released, expected } = await alarm('orders-5xx', { entries: running });
      expect({ acts, released, expected }).toEqual({ acts: ['ALARM_ARRIVED'], released: [], expected: [ID] });
    });

    it('is written once, however often it is delivered', async () => {
      const entries = logAfter(running, ['ALARM_ARRIVED', {}, 20]);
      expect(await alarm('orders-5xx', { entries })).toMatchObject({ acts: [], released: [], expected: [] });
    });

    it('ends it before its fault was announced: then it is no consequence of the fault', async () => {
      const entries = running.slice(
        0,
        running.findIndex(({ type }) => type === 'INJECTING'),
      );
      expect((await alarm('orders-5xx', { entries })).released).toEqual([ID]);
    });

    it('ends it when it fired before its fault was announced, and arrives after it', async () => {
      expect((await alarm('orders-5xx', { entries: running, firedAt: iso(1) })).released).toEqual([ID]);
      expect((await alarm('orders-5xx', { entries: running, firedAt: 'some time' })).released).toEqual([ID]);
    });

    it('is delivered again when its arrival could not be written', async () => {
      await expect(alarm('orders-5xx', { entries: running, appendFails: true })).rejects.toThrow('no answer');
    });

    it('says nothing for another one', async () => {
      const strict = { ...seedExperiment().safetyThreshold, maxAlertSeverity: 'NONE' as const };
      const experiment = { ...seedExperiment(), hypothesis, safetyThreshold: strict };
      const entries = runUntil('INJECTED', { ADMITTED: { experiment } });
      expect((await alarm('orders-slow', { entries })).released).toEqual([ID]);
    });
  });

  it('of several alarms is told apart from them by the whole of its event', async () => {
    // As AWS documents them: of a composite alarm there is no metric, and a rule instead.
    const composite = {
      ...{ version: '0', 'detail-type': 'CloudWatch Alarm State Change', source: 'aws.cloudwatch' },
      detail: {
        alarmName: 'orders-5xx',
        state: {
          value: 'ALARM',
          reason: 'arn:aws:cloudwatch:… transitioned to ALARM',
          timestamp: iso(20).replace('Z', '+0000'),
        },
        previousState: { value: 'OK', timestamp: '2026-11-26T11:00:00.000+0000' },
        configuration: {
          alarmRule: 'ALARM("a") OR ALARM("b")',
          actionsSuppressor: 'quiet',
          actionsSuppressorWaitPeriod: 120,
        },
      },
    };
    const entries = runUntil('INJECTED', {
      ADMITTED: { experiment: { ...seedExperiment(), hypothesis: hypothesisOf(expectedAlert('orders-5xx')) } },
    });
    const { written } = await alarm('orders-5xx', { entries, event: composite });
    expect(written).toMatchObject([{ alarm: 'orders-5xx', firedAt: iso(20) }]);
    expect((await alarm('orders-5xx', { event: composite })).released).toEqual([ID]);
  });
});

describe('an alarm that waited longer than any fault lives', () => {
  const old = { firedAt: new Date(Date.parse(NOW) - (TTL_SECONDS.max + 1) * 1000).toISOString() };
  const isNow = (state: string) => async () => new Map([['orders-5xx', state]]);

  it('is ignored when it is over: it would end an experiment that it does not concern', async () => {
    const { released, ignored } = await alarm('orders-5xx', { ...old, alarmStates: isNow('OK') });
    expect([released, ignored]).toEqual([[], ['it is over by now']]);
  });

  it('ends the experiment while it still fires, or nobody can tell', async () => {
    expect((await alarm('orders-5xx', { ...old, alarmStates: isNow('ALARM') })).released).toEqual([ID]);
    const down = async () => Promise.reject(new Error('throttled'));
    expect((await alarm('orders-5xx', { ...old, alarmStates: down })).released).toEqual([ID]);
    expect((await alarm('orders-5xx', { ...old, alarmStates: () => new Promise(() => {}) })).released).toEqual([ID]);
  });

  it('is not asked about before', async () => {
    const firedAt = new Date(Date.parse(NOW) - TTL_SECONDS.max * 1000).toISOString();
    expect((await alarm('orders-5xx', { firedAt, alarmStates: isNow('OK') })).released).toEqual([ID]);
  });
});

describe('alarms of several experiments', () => {
  const shared = { alarms: [{ name: 'shared', severity: 'CRITICAL' as const }] };
  const expecting = runUntil('INJECTED', {
    ADMITTED: { experiment: { ...seedExperiment(), hypothesis: hypothesisOf(expectedAlert('shared')) } },
  });
  const event = { detail: { alarmName: 'shared', state: { value: 'ALARM', timestamp: iso(20) } } };

  it.each<[string, Partial<Record<'holder' | 'appendOnce' | 'release', (id: string) => Promise<never> | undefined>>]>([
    ['its lock cannot be read', { holder: (id) => fail(id === 'redis-master') }],
    ['its arrival cannot be written', { appendOnce: (id) => fail(id === 'exp-a') }],
    ['its lease cannot be released', { release: (id) => fail(id === 'exp-a') }],
  ])('that fail for one of them still end the other, and are delivered again: %s', async (_what, failing) => {
    const acts: string[] = [];
    const logs: Record<string, AuditEntry[]> = {
      'exp-a': failing.release ? runUntil('INJECTED') : expecting,
      'exp-b': runUntil('INJECTED'),
    };
    const done = onAlarm(event, {
      clusters: { 'redis-master': shared, other: shared },
      locks: {
        holder: async (cluster) => (await failing.holder?.(cluster)) ?? (cluster === 'other' ? 'exp-b' : 'exp-a'),
      },
      audit: {
        read: async (id) => logs[id] ?? [],
        appendOnce: async (id, type) => {
          await failing.appendOnce?.(id);
          acts.push(`${id} ${type}`);
          return undefined;
        },
      },
      leases: {
        read: async () => leaseOf(),
        release: async (id) => {
          await failing.release?.(id);
          return acts.push(`release ${id}`) > 0;
        },
      },
      alarmStates: async () => new Map(),
      clock: new SimulatedClock(Date.parse(NOW)),
    });
    await expect(done).rejects.toThrow(AggregateError);
    expect(acts.filter((act) => act.includes('exp-b'))).toEqual(['release exp-b', 'exp-b ABORT_REQUESTED']);
  });

  function fail(when: boolean): Promise<never> | undefined {
    return when ? Promise.reject(new Error('throttled')) : undefined;
  }
});
