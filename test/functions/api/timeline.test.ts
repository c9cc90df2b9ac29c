import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timelineRow } from '../../../functions/api/timeline.ts';
import { type AuditEntry, ENTRY_TYPES } from '../../../functions/domain/audit-entry.ts';
import { fullRun } from '../domain/fixtures.ts';

const summaryOf = (type: AuditEntry['type'], details: unknown) =>
  timelineRow({ ...(fullRun()[0] as AuditEntry), type, details: details as Record<string, unknown> }).summary;

describe('the timeline', () => {
  it('names fault, node and recorded undo of an injection', () => {
    const injecting = fullRun().find(({ type }) => type === 'INJECTING');
    expect(summaryOf('INJECTING', injecting?.details)).toMatch(
      /^NETWORK_PARTITION on redis-node-3; undo recorded: let packets .* pass again, behind the fence/,
    );
  });

  it('names the action of a fault in the service, its end, and what was never injected', () => {
    const action = { actionId: 'aws:ec2:stop-instances', undo: ['start it again'] };
    const services = [{ kind: 'INSTANCE_STOP', nodes: [{ node: 'n3' }], action }];
    expect(summaryOf('INJECTING', { commands: [], services })).toBe(
      'INSTANCE_STOP on n3 by aws:ec2:stop-instances; undo recorded: start it again',
    );
    const ended = { faultId: 'e.2', state: 'stopped', outcome: 'REVERTED', endedAt: '2026-01-01T00:00:00Z' };
    expect(summaryOf('ROLLED_BACK', { nodes: [], services: [ended] })).toBe(
      'e.2 REVERTED (stopped in the service), ended at 2026-01-01T00:00:00Z',
    );
    expect(summaryOf('INJECTION_SKIPPED', { faults: ['e.3'], reason: 'too late' })).toBe('not injected: e.3: too late');
    expect(summaryOf('RECOVERY_VERIFIED', { repairs: ['n3: BGSAVE begun'] })).toMatch(/healthy.*; n3: BGSAVE begun/);
  });

  it('says the generic line for details of an older or broken entry', () => {
    expect(summaryOf('INJECTING', { faults: [] })).toBe('injecting');
    expect(summaryOf('INJECTED', {})).toBe('injected');
    expect(summaryOf('CONCLUDED', { reason: 'the sweep ended it' })).toBe('concluded: the sweep ended it');
    expect(summaryOf('STEADY_STATE_CONFIRMED', { baselines: { c: { p99LatencyMs: '9' } } })).toBe(
      'steady state confirmed',
    );
  });

  it('has a line for whatever lies in a log', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ENTRY_TYPES), fc.dictionary(fc.string(), fc.jsonValue()), (type, details) => {
        expect(summaryOf(type, details)).toMatch(/\S/);
      }),
    );
    for (const type of ENTRY_TYPES)
      for (const details of [null, undefined, []]) expect(summaryOf(type, details)).toMatch(/\S/);
  });
});
