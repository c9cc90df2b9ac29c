import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { onAlarm } from '../../../functions/rollback/on-alarm.ts';
import { configuration } from '../domain/configuration-fixtures.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { logOf, runUntil } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const ID = 'exp_chaos_redis_019';

interface Plane {
  value?: string;
  holder?: string | undefined;
  entries?: AuditEntry[] | Error;
  appendFails?: boolean;
  auditHangs?: boolean;
}

async function alarm(alarmName: string, options: Plane = {}) {
  const acts: string[] = [];
  const entries = options.entries ?? runUntil('INJECTED');
  const log = memoryAuditLog({
    entries: entries instanceof Error ? [] : entries,
    onAppend: ({ type }) => acts.push(type),
  });
  const hang = () => new Promise<never>(() => {});
  const result = await onAlarm(
    { detail: { alarmName, state: { value: options.value ?? 'ALARM', reason: 'threshold crossed' } } },
    {
      clusters: configuration().clusters,
      locks: { holder: async () => ('holder' in options ? options.holder : ID) },
      audit: {
        read: async (id) => {
          if (options.auditHangs) return hang();
          if (entries instanceof Error) throw entries;
          return log.read(id);
        },
        append: async (...entry) => {
          if (options.auditHangs) return hang();
          if (options.appendFails) throw new Error('no answer');
          return log.append(...entry);
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
  it('above the tolerated severity releases the lease and is recorded', async () => {
    expect(await alarm('orders-5xx')).toEqual({
      acts: ['release ALARM', 'ABORT_REQUESTED'],
      released: [ID],
      ignored: [],
    });
  });

  it('releases the lease although it cannot be recorded', async () => {
    expect((await alarm('orders-5xx', { appendFails: true })).acts).toEqual(['release ALARM']);
  });

  it('releases the lease although the log never answers', async () => {
    expect(await alarm('orders-slow', { auditHangs: true })).toMatchObject({ acts: ['release ALARM'], released: [ID] });
  });

  it('releases the lease when the terms of the experiment cannot be read', async () => {
    expect((await alarm('orders-slow', { entries: new Error('no answer') })).released).toEqual([ID]);
    expect((await alarm('orders-slow', { entries: [] })).released).toEqual([ID]);
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
    ['of a cluster that nobody holds', 'orders-5xx', { holder: undefined }],
  ])('%s is ignored and said so', async (_name, alarmName, options) => {
    const { acts, released, ignored } = await alarm(alarmName, options);
    expect([acts, released]).toEqual([[], []]);
    expect(ignored).toHaveLength(1);
  });

  it('of any severity releases the lease when none is tolerated', async () => {
    expect((await alarm('orders-slow', { entries: tolerating({ maxAlertSeverity: 'NONE' }) })).released).toEqual([ID]);
  });
});
