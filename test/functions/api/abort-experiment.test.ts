import { describe, expect, it } from 'vitest';
import { abortExperiment } from '../../../functions/api/abort-experiment.ts';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { KILL_SWITCH_ID } from '../../../functions/domain/names.ts';
import type { Lease } from '../../../functions/tables/leases.ts';
import { CALLER, fullRun, logAfter, runUntil } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const ID = 'exp_chaos_redis_019';
const fail = async () => {
  throw new Error('no answer');
};
const hang = () => new Promise<never>(() => {});
const held = leaseOf({ leaseId: ID });
const running = runUntil('INJECTED');

interface Plane {
  entries?: AuditEntry[];
  audit?: 'answers' | 'fails' | 'hangs' | 'append fails';
  lease?: Lease | undefined;
  reserved?: boolean;
  knows?: () => Promise<boolean>;
  releaseFails?: boolean;
}

function abort(plane: Plane = {}, id = ID) {
  const { entries = running, audit = 'answers', reserved = true } = plane;
  const lease = 'lease' in plane ? plane.lease : held;
  const acts: string[] = [];
  const log = memoryAuditLog({
    entries,
    onAppend: ({ type, actor }) => {
      expect(actor).toEqual(CALLER);
      acts.push(type);
    },
  });
  const answer = abortExperiment(id, CALLER, {
    audit: {
      answers: log,
      fails: { read: fail, append: fail },
      hangs: { read: hang, append: hang },
      'append fails': { ...log, append: fail },
    }[audit],
    leases: {
      read: async () => lease,
      release: async (_id, reason) => {
        if (plane.releaseFails) throw new Error('throttled');
        acts.push(`release ${reason}`);
        return true;
      },
    },
    reservations: { isKnown: plane.knows ?? (async () => reserved) },
    clock: new SimulatedClock(),
  });
  return { acts, answer };
}

describe('aborting an experiment', () => {
  it('releases the lease first, then records who asked', async () => {
    const { acts, answer } = abort();
    expect(await answer).toEqual({ status: 202, body: { experimentId: ID, status: 'ROLLING_BACK', recorded: true } });
    expect(acts).toEqual(['release ABORT', 'ABORT_REQUESTED']);
  });

  it.each(['fails', 'hangs', 'append fails'] as const)(
    'releases the lease although the log %s, and says that it is not recorded',
    async (audit) => {
      const { acts, answer } = abort({ audit });
      expect(await answer).toMatchObject({ status: 202, body: { recorded: false } });
      expect(acts).toEqual(['release ABORT']);
    },
  );

  it('has released the lease before it asks a log that never answers', async () => {
    const acts: string[] = [];
    const answer = abortExperiment(ID, CALLER, {
      audit: {
        read: () => {
          acts.push('asked');
          return hang();
        },
        append: hang,
      },
      leases: { read: async () => held, release: async () => acts.push('released') > 0 },
      reservations: { isKnown: async () => false },
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

  it.each([
    ['fails', fail],
    ['hangs', hang],
  ])('rather spoils an id than misses a fault when the look for one that is starting %s', async (_how, knows) => {
    const { acts, answer } = abort({ lease: undefined, entries: [], knows });
    expect((await answer).status).toBe(202);
    expect(acts[0]).toBe('release ABORT');
  });

  it('records a repeated request once and changes nothing', async () => {
    const entries = logAfter(running, ['ABORT_REQUESTED']);
    const { acts, answer } = abort({ entries, lease: { ...held, state: 'RELEASED' } });
    expect(await answer).toMatchObject({ status: 202, body: { recorded: true } });
    expect(acts).toEqual([]);
  });

  it('changes nothing about an experiment that is concluded', async () => {
    const { acts, answer } = abort({ entries: fullRun({ CONCLUDED: {} }), lease: { ...held, state: 'RELEASED' } });
    expect(await answer).toMatchObject({ status: 200, body: { status: 'COMPLETED', outcome: 'CONFIRMED' } });
    expect(acts).toEqual([]);
  });

  it('does not claim an abort that was not carried out', async () => {
    await expect(abort({ releaseFails: true }).answer).rejects.toThrow('throttled');
  });

  it('never releases what is not an experiment: no unknown id, no kill switch', async () => {
    const attempts = [
      abort({ lease: undefined, reserved: false }),
      abort({ lease: { ...held, leaseId: KILL_SWITCH_ID } }, KILL_SWITCH_ID),
      abort({}, 'ADMISSION#exp'),
    ];
    for (const { acts, answer } of attempts) {
      expect((await answer).status).toBe(404);
      expect(acts).toEqual([]);
    }
  });
});
