import { describe, expect, it } from 'vitest';
import { judgeBudgets } from '../../../functions/domain/budgets.ts';
import { detailsOf } from './fixtures.ts';

const limits = { rtoSeconds: 15, lostAcknowledgedWrites: 0 };
const judged = (...changes: Parameters<typeof detailsOf<'PROBE_MEASURED'>>[1][]) =>
  judgeBudgets(limits, detailsOf('PROBE_MEASURED', ...changes)).map(({ met }) => met);

describe('the budgets', () => {
  it('are met by what is measured within their limits, and by no more than that', () => {
    expect(judged()).toEqual([true, true]);
    expect(judged({ rtoSeconds: limits.rtoSeconds })).toEqual([true, true]);
    expect(judged({ rtoSeconds: limits.rtoSeconds + 0.01 })).toEqual([false, true]);
    expect(judged({ lostAcknowledgedWrites: 1 })).toEqual([true, false]);
  });

  it('are met by a client that never failed', () => {
    expect(judged({ rtoSeconds: undefined })).toEqual([true, true]);
  });

  it('are not met where nothing was measured', () => {
    expect(judgeBudgets(limits, undefined)).toEqual([
      { name: 'rtoSeconds', limit: 15, met: false },
      { name: 'lostAcknowledgedWrites', limit: 0, met: false },
    ]);
    expect(judged({ acknowledgedWrites: 0 })).toEqual([true, false]);
    expect(judged({ attemptedWrites: 0 })).toEqual([false, true]);
    expect(judged({ stillFailing: true })).toEqual([false, true]);
    for (const budget of judgeBudgets(limits, detailsOf('PROBE_MEASURED', { provenOnImpacted: false }))) {
      expect(budget).toMatchObject({ met: false });
      expect(budget).not.toHaveProperty('measured');
    }
  });
});
