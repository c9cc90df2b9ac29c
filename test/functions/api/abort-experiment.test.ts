import { describe, expect, it } from 'vitest';
import { abortExperiment } from '../../../functions/api/abort-experiment.ts';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import type { Lease } from '../../../functions/tables/leases.ts';
import { CALLER, fullRun } from '../domain/fixtures.ts';
import { SimulatedClock } from '../guard/simulated-clock.ts';

const ID = 'exp_chaos_redis_019';
const fail = async () => {
  throw new Error('no answer');
};
const hang = () => new Promise<never>(() => {});
const held: Lease = { leaseId: ID, state: 'HOLD', beat: 1, grants: [], readings: [] };

interface Plane {
  entries?: AuditEntry[];
  audit?: 'answers' | 'fails' | 'hangs' | 'append fails';
  lease?: Lease | undefined;
  reserved?: boolean;
  releaseFails?: boolean;
}

function abort(plane: Plane = {}, id = ID) {
  const { entries = running, audit = 'answers', reserved = true } = plane;
  const lease = 'lease' in plane ? plane.lease : held;
  const acts: string[] = [];
  const answer = abortExperiment(id, CALLER, {
    audit: {
      read: { answers: async () => entries, 'append fails': async () => entries, fails: fail, hangs: hang }[audit],
      append: (_id, type, actor) => {
        if (audit === 'hangs') return hang();
        if (audit !== 'answers') return fail();
        expect(actor).toEqual(CALLER);
        acts.push(type);
        return Promise.resolve(entries[0] as AuditEntry);
      },
    },
    leases: {
      read: async () => lease,
      release: async (_id, reason) => {
        if (plane.releaseFails) throw new Error('throttled');
        acts.push(`release ${reason}`);
      },
    },
    reservations: { find: async () => (reserved ? ({ experimentId: id } as never) : undefined) },
    clock: new SimulatedClock(),
  });
  return { acts, answer };
}
const running = fullRun().slice(0, 4);

describe('aborting an experiment', () => {
  it('lets go first, then records who asked', async () => {
    const { acts, answer } = abort();
    expect(await answer).toEqual({ status: 202, body: { experimentId: ID, status: 'ROLLING_BACK', recorded: true } });
    expect(acts).toEqual(['release ABORT', 'ABORT_REQUESTED']);
  });

  it.each(['fails', 'hangs', 'append fails'] as const)('lets go although the log %s, and says so', async (audit) => {
    const { acts, answer } = abort({ audit });
    expect(await answer).toMatchObject({ status: 202, body: { recorded: false } });
    expect(acts).toEqual(['release ABORT']);
  });

  it('has let go before it asks a log that never answers', async () => {
    const acts: string[] = [];
    const answer = abortExperiment(ID, CALLER, {
      audit: {
        read: () => {
          acts.push('asked');
          return hang();
        },
        append: hang,
      },
      leases: { read: async () => held, release: async () => void acts.push('released') },
      reservations: { find: async () => undefined },
      clock: new SimulatedClock(),
    });
    await answer;
    expect(acts).toEqual(['released', 'asked']);
  });

  it('leaves nothing to begin under an id that is reserved and has no lease yet', async () => {
    const { acts, answer } = abort({ lease: undefined, entries: [] });
    expect((await answer).status).toBe(202);
    expect(acts[0]).toBe('release ABORT');
  });

  it('records a repeated request once and changes nothing', async () => {
    const entries = [
      ...running,
      { ...(running[0] as AuditEntry), type: 'ABORT_REQUESTED' as const, details: { reason: 'ABORT' } },
    ];
    const { acts, answer } = abort({ entries, lease: { ...held, state: 'RELEASED' } });
    expect(await answer).toMatchObject({ status: 202, body: { recorded: true } });
    expect(acts).toEqual([]);
  });

  it('changes nothing about an experiment that is concluded', async () => {
    const entries = fullRun({ CONCLUDED: { status: 'COMPLETED', outcome: 'CONFIRMED', budgets: [], reason: '' } });
    const { acts, answer } = abort({ entries, lease: { ...held, state: 'RELEASED' } });
    expect(await answer).toMatchObject({ status: 200, body: { status: 'COMPLETED', outcome: 'CONFIRMED' } });
    expect(acts).toEqual([]);
  });

  it('does not claim an abort that was not carried out', async () => {
    await expect(abort({ releaseFails: true }).answer).rejects.toThrow('throttled');
  });

  it('never releases what is not an experiment: no unknown id, no kill switch', async () => {
    const attempts = [
      abort({ lease: undefined, reserved: false }),
      abort({ lease: { ...held, leaseId: 'GLOBAL' } }, 'GLOBAL'),
    ];
    for (const { acts, answer } of attempts) {
      expect((await answer).status).toBe(404);
      expect(acts).toEqual([]);
    }
  });
});
