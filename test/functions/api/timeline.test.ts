import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timelineRow } from '../../../functions/api/timeline.ts';
import { type AuditEntry, ENTRY_TYPES } from '../../../functions/audit/entry.ts';
import { fullRun } from '../experiment/fixtures.ts';

const summaryOf = (type: AuditEntry['type'], details: unknown) =>
  timelineRow({ ...(fullRun()[0] as AuditEntry), type, details: details as Record<string, unknown> }).summary;

describe('the timeline', () => {
  it('names fault, node and recorded undo of an injection', () => {
    const injecting = fullRun().find(({ type }) => type === 'INJECTING');
    expect(summaryOf('INJECTING', injecting?.details)).toMatch(
      /^NETWORK_PARTITION on redis-node-3; undo recorded: let packets .* pass again, behind the fence/,
    );
  });

  it('says the generic line for details of an older or broken entry', () => {
    expect(summaryOf('INJECTING', { faults: [] })).toBe('injecting');
    expect(summaryOf('INJECTED', {})).toBe('injected');
    expect(summaryOf('CONCLUDED', { reason: 'the sweep ended it' })).toBe('concluded: the sweep ended it');
    expect(summaryOf('STEADY_STATE_CONFIRMED', { baseline: { p99LatencyMs: '9' } })).toBe('steady state confirmed');
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
