import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { onAlarm } from '../../../functions/rollback/on-alarm.ts';
import { configuration, fullRun, logOf, seedExperiment } from '../domain/fixtures.ts';
import { SimulatedClock } from '../guard/simulated-clock.ts';

const ID = 'exp_chaos_redis_019';

async function alarm(
  alarmName: string,
  options: {
    value?: string;
    holder?: string;
    entries?: AuditEntry[] | Error;
    appendFails?: boolean;
    auditHangs?: boolean;
  } = {},
) {
  const acts: string[] = [];
  const entries = options.entries ?? fullRun().slice(0, 4);
  const result = await onAlarm(
    { detail: { alarmName, state: { value: options.value ?? 'ALARM', reason: 'threshold crossed' } } },
    {
      clusters: configuration().clusters,
      locks: { holder: async () => ('holder' in options ? options.holder : ID) },
      audit: {
        read: async () => {
          if (options.auditHangs) return new Promise<never>(() => {});
          if (entries instanceof Error) throw entries;
          return entries;
        },
        append: async (id, type, _actor, details) => {
          if (options.auditHangs) return new Promise<never>(() => {});
          if (options.appendFails) throw new Error('no answer');
          acts.push(type);
          return logOf(id, [type, details])[0] as AuditEntry;
        },
      },
      leases: {
        release: async (_id, reason) => {
          acts.push(`release ${reason}`);
        },
      },
      clock: new SimulatedClock(),
    },
  );
  return { acts, ...result };
}

function tolerating(safetyThreshold: Partial<ReturnType<typeof seedExperiment>['safetyThreshold']>) {
  const experiment = seedExperiment();
  return logOf(ID, [
    'ADMITTED',
    { experiment: { ...experiment, safetyThreshold: { ...experiment.safetyThreshold, ...safetyThreshold } } },
  ]);
}

describe('an alarm', () => {
  it('above the tolerated severity lets go and is recorded', async () => {
    expect(await alarm('orders-5xx')).toEqual({
      acts: ['release ALARM', 'ABORT_REQUESTED'],
      released: [ID],
      ignored: [],
    });
  });

  it('lets go although it cannot be recorded', async () => {
    expect((await alarm('orders-5xx', { appendFails: true })).acts).toEqual(['release ALARM']);
  });

  it('lets go although the log never answers', async () => {
    expect(await alarm('orders-slow', { auditHangs: true })).toMatchObject({ acts: ['release ALARM'], released: [ID] });
  });

  it('lets go when the terms of the experiment cannot be read', async () => {
    expect((await alarm('orders-slow', { entries: new Error('no answer') })).released).toEqual([ID]);
    expect((await alarm('orders-slow', { entries: [] })).released).toEqual([ID]);
  });

  it.each([
    ['of a tolerated severity', 'orders-slow', {}],
    [
      'when the experiment asked for no rollback',
      'orders-5xx',
      { entries: tolerating({ automaticRollbackOnAlert: false }) },
    ],
    ['that no cluster configures', 'other', {}],
    ['that is OK again', 'orders-5xx', { value: 'OK' }],
    ['of a cluster that nobody holds', 'orders-5xx', { holder: undefined }],
  ])('%s is ignored and said so', async (_name, alarmName, options) => {
    const { acts, released, ignored } = await alarm(alarmName, options as Parameters<typeof alarm>[1]);
    expect([acts, released]).toEqual([[], []]);
    expect(ignored).toHaveLength(1);
  });

  it('of any severity lets go when none is tolerated', async () => {
    expect((await alarm('orders-slow', { entries: tolerating({ maxAlertSeverity: 'NONE' }) })).released).toEqual([ID]);
  });
});
