import { describe, expect, it } from 'vitest';
import { abortExperiment } from '../../../functions/api/abort-experiment.ts';
import type { AuditEntry } from '../../../functions/audit/entry.ts';
import type { Lease } from '../../../functions/guard/lease.ts';
import { CALLER, fullRun } from '../experiment/fixtures.ts';

const ID = 'exp_chaos_redis_019';
const fail = async () => {
  throw new Error('no answer');
};

function abort(entries: AuditEntry[] | undefined, options: { appendFails?: boolean; lease?: Lease; id?: string } = {}) {
  const acts: string[] = [];
  const answer = abortExperiment(options.id ?? ID, CALLER, {
    audit: {
      read: entries ? async () => entries : fail,
      append: async (_id, type, actor) => {
        if (options.appendFails) throw new Error('no answer');
        expect(actor).toEqual(CALLER);
        acts.push(type);
        return entries?.[0] as AuditEntry;
      },
    },
    leases: {
      read: async () => options.lease,
      release: async (_id, reason) => {
        acts.push(`release ${reason}`);
      },
    },
  });
  return { acts, answer };
}
const running = fullRun().slice(0, 4);

describe('aborting an experiment', () => {
  it('records who asked, then lets go', async () => {
    const { acts, answer } = abort(running);
    expect(await answer).toEqual({ status: 202, body: { experimentId: ID, status: 'ROLLING_BACK', recorded: true } });
    expect(acts).toEqual(['ABORT_REQUESTED', 'release ABORT']);
  });

  it('lets go although the request cannot be recorded, and says so', async () => {
    const { acts, answer } = abort(running, { appendFails: true });
    expect(await answer).toMatchObject({ status: 202, body: { recorded: false } });
    expect(acts).toEqual(['release ABORT']);
  });

  it('lets go although the log cannot even be read', async () => {
    const lease: Lease = { leaseId: ID, state: 'HOLD', beat: 1, grants: [], readings: [] };
    const { acts, answer } = abort(undefined, { appendFails: true, lease });
    expect(await answer).toMatchObject({ status: 202 });
    expect(acts).toEqual(['release ABORT']);
  });

  it('records a repeated request once and lets go again', async () => {
    const { acts, answer } = abort([
      ...running,
      { ...(running[0] as AuditEntry), type: 'ABORT_REQUESTED', details: { reason: 'ABORT' } },
    ]);
    expect((await answer).status).toBe(202);
    expect(acts).toEqual(['release ABORT']);
  });

  it('changes nothing about an experiment that is concluded', async () => {
    const { acts, answer } = abort(
      fullRun({ CONCLUDED: { status: 'COMPLETED', outcome: 'CONFIRMED', budgets: [], reason: '' } }),
    );
    expect(await answer).toMatchObject({ status: 200, body: { status: 'COMPLETED', outcome: 'CONFIRMED' } });
    expect(acts).toEqual([]);
  });

  it('never releases what is not an experiment: no unknown id, no kill switch', async () => {
    const global: Lease = { leaseId: 'GLOBAL', state: 'HOLD', beat: 0, grants: [], readings: [] };
    for (const attempt of [abort([]), abort(undefined), abort(undefined, { id: 'GLOBAL', lease: global })]) {
      expect((await attempt.answer).status).toBe(404);
      expect(attempt.acts).toEqual([]);
    }
  });
});
