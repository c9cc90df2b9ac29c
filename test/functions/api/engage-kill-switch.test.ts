import { describe, expect, it } from 'vitest';
import { type EngageDependencies, engageKillSwitch } from '../../../functions/api/engage-kill-switch.ts';
import type { Locks } from '../../../functions/tables/locks.ts';
import { CALLER, runUntil } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const ID = 'exp_chaos_redis_019';
const fail = async () => {
  throw new Error('no answer');
};
const hang = () => new Promise<never>(() => {});
/** A log of which nothing works. */
const auditOf = (broken: () => Promise<never>) => ({
  ...{ append: broken, read: broken },
  beginAppend: () => ({ written: broken(), done: broken() }),
});

/** Experiment of the fixtures on one cluster, and another one on a second. */
const LOCKS = [
  { cluster: 'redis-master', experimentId: ID, endsAt: '' },
  { cluster: 'kafka-orders', experimentId: 'other', endsAt: '' },
];

function world(changes: Partial<EngageDependencies> = {}) {
  const acts: string[] = [];
  const clock = new SimulatedClock();
  const audit = memoryAuditLog({ entries: runUntil('INJECTED'), onAppend: ({ type }) => acts.push(type) });
  const dependencies: EngageDependencies = {
    switches: {
      engage: async (cluster, { by, reason }) => {
        acts.push(`engage ${cluster ?? 'all'}: ${by}: ${reason} at ${clock.monotonicMs()}`);
        return true;
      },
    },
    leases: {
      release: async (id, reason) => {
        acts.push(`release ${id} ${reason}`);
        return true;
      },
    },
    locks: { list: async () => LOCKS } satisfies Pick<Locks, 'list'>,
    audit,
    hosts: {
      run: async ({ instanceId, parameters, document }) => {
        acts.push(`${document} ${parameters.verb} ${parameters.faultId} on ${instanceId}`);
        return { status: 'Success' };
      },
    },
    lever: {
      engage: async (reason) => {
        acts.push(`lever: ${reason}`);
        return { engaged: 'NOW', reason };
      },
    },
    clock,
    document: 'Holdfast-X-roll-back',
    ...changes,
  };
  const engage = (cluster?: string) =>
    engageKillSwitch({ cluster, reason: 'a bad release', caller: CALLER }, dependencies);
  return { acts, audit, engage, clock };
}
const outcomes = (body: object) =>
  Object.fromEntries(
    (body as { steps: { step: string; outcome: string }[] }).steps.map(({ step, outcome }) => [step, outcome]),
  );
const ALL_DONE = { SWITCH: 'DONE', LEASES: 'DONE', SAFETY_LEVER: 'DONE', HOSTS: 'DONE' };

describe('engaging the kill switch', () => {
  it('records who and why, then engages, and after that frees leases, FIS and hosts', async () => {
    const { acts, engage, audit } = world();
    const { status, body } = await engage();
    expect(status).toBe(200);
    expect(body).toMatchObject({ engaged: true, alreadyEngaged: false, recorded: true });
    expect(outcomes(body)).toEqual(ALL_DONE);
    expect(acts.slice(0, 2)).toEqual(['KILL_SWITCH_ENGAGING', `engage all: ${CALLER.arn}: a bad release at 0`]);
    expect(acts.at(-1)).toBe('KILL_SWITCH_ENGAGED');
    expect(acts).toContain(`release ${ID} KILL_SWITCH`);
    expect(acts).toContain('release other KILL_SWITCH');
    expect(acts).toContain('lever: a bad release');
    expect(acts.filter((act) => act.includes('revert')).length).toBeGreaterThan(0);
    expect(audit.entries.at(-1)).toMatchObject({ experimentId: 'KILL_SWITCH#GLOBAL', actor: CALLER });
  });

  it('of one cluster leaves the experiments on others alone, and FIS, whose lever is for the whole account', async () => {
    const { acts, engage } = world();
    const { body } = await engage('kafka-orders');
    expect(outcomes(body)).toEqual({ ...ALL_DONE, SAFETY_LEVER: 'NOT_NEEDED', HOSTS: 'NOT_NEEDED' });
    expect(acts.filter((act) => act.startsWith('release'))).toEqual(['release other KILL_SWITCH']);
    expect(acts.some((act) => act.includes(ID) || act.startsWith('lever'))).toBe(false);
  });

  it.each([
    ['the lease table does not take the release of an experiment', { leases: { release: fail } }, 'LEASES'],
    ['the lock table does not answer', { locks: { list: hang } }, 'LEASES'],
    ['FIS does not answer', { lever: { engage: hang } }, 'SAFETY_LEVER'],
    ['a host cannot be sent anything', { hosts: { run: async () => ({ status: 'NOT_SENT' }) } }, 'HOSTS'],
  ] as const)('engages and tries everything else when %s', async (_what, changes, failed) => {
    const { acts, engage } = world(changes);
    const { status, body } = await engage();
    expect(status).toBe(200);
    expect(outcomes(body)).toMatchObject({ SWITCH: 'DONE', [failed]: 'FAILED' });
    expect(acts[1]).toMatch(/^engage all/);
    const others = Object.entries(outcomes(body)).filter(([step]) => step !== failed);
    // Without the locks nobody knows whom the hosts belong to.
    if (!('locks' in changes)) expect(others.every(([, outcome]) => outcome === 'DONE')).toBe(true);
  });

  it.each([
    ['fails', fail],
    ['hangs', hang],
  ])(
    'does not wait for a log that %s: the switch is engaged within 0.1 s, and the answer says that it is not on record',
    async (_what, broken) => {
      const { acts, engage } = world({ audit: auditOf(broken) });
      const { status, body } = await engage();
      expect(status).toBe(200);
      expect(body).toMatchObject({ engaged: true, recorded: false });
      const [first] = acts;
      expect(first).toMatch(/^engage all/);
      expect(Number(first?.split(' at ')[1])).toBeLessThanOrEqual(100);
      expect(outcomes(body)).toMatchObject({ SWITCH: 'DONE', LEASES: 'DONE', SAFETY_LEVER: 'DONE', HOSTS: 'FAILED' });
    },
  );

  it('engages as soon as it is on record, and does not wait for the event that tells of it', async () => {
    const audit = memoryAuditLog();
    const told = new Promise<never>(() => {});
    const { acts, engage } = world({
      audit: {
        ...audit,
        beginAppend: (...entry) => ({ written: audit.append(...entry), done: told }),
      },
    });
    expect((await engage()).body).toMatchObject({ engaged: true, recorded: false });
    expect(acts[0]).toMatch(/^engage all.* at 0$/);
    expect(audit.entries.map(({ type }) => type)).toEqual(['KILL_SWITCH_ENGAGING']);
  });

  it('says whose safety lever it is that was engaged before, and counts that as done', async () => {
    const { engage } = world({ lever: { engage: async () => ({ engaged: 'FOREIGN', reason: 'freeze of the year' }) } });
    const { steps } = (await engage()).body as { steps: { step: string; detail: string }[] };
    expect(steps.find(({ step }) => step === 'SAFETY_LEVER')).toMatchObject({
      outcome: 'DONE',
      detail: expect.stringMatching(/by somebody else.*freeze of the year/),
    });
  });

  it('does not look like engaged when the switch could not be, though everything else was tried', async () => {
    const { acts, engage } = world({ switches: { engage: fail } });
    const { status, body } = await engage();
    expect(status).toBe(503);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:kill-switch-not-engaged', engaged: false });
    expect(outcomes(body)).toEqual({ ...ALL_DONE, SWITCH: 'FAILED' });
    expect(acts).toContain(`release ${ID} KILL_SWITCH`);
  });

  it('leaves FIS alone where the configuration does not let it', async () => {
    const { engage } = world({ lever: undefined });
    expect(outcomes((await engage()).body)).toMatchObject({ SAFETY_LEVER: 'NOT_NEEDED' });
  });

  it('answers before API Gateway gives up, whoever hangs', async () => {
    const { engage, clock } = world({
      ...{
        audit: auditOf(hang),
        locks: { list: hang },
        lever: { engage: hang },
        leases: { release: hang },
      },
    });
    expect((await engage()).status).toBe(200);
    expect(clock.monotonicMs()).toBeLessThan(26_000 - 2000);
  });
});
