import { describe, expect, it } from 'vitest';
import { type AwaitStartDependencies, awaitStart } from '../../../functions/admission/await-start.ts';
import { type AdmissionPorts, toleratingLock } from '../../../functions/admission/ports.ts';
import { problem } from '../../../functions/domain/problem.ts';
import type { Lease } from '../../../functions/tables/leases.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { detailsOf, EPOCH_MS, iso, logOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const experiment = seedExperiment();
const { experimentId } = experiment;
const { facts } = detailsOf('ADMITTED');

/** Announced for second 60, by the clock of the test. */
function world(changes: Partial<AwaitStartDependencies> = {}) {
  const clock = new SimulatedClock();
  const admittedAtMs: number[] = [];
  const lease: Lease = leaseOf({ leaseId: experimentId });
  const killSwitch = { engaged: false };
  const dependencies: AwaitStartDependencies = {
    clock,
    audit: memoryAuditLog({ entries: logOf(experimentId, ['ADMITTED'], ['ANNOUNCED', { startsAt: iso(60) }]) }),
    leases: { read: async () => lease },
    switches: {
      engaged: async (clusters) => {
        expect(clusters).toEqual(['redis-master']);
        return killSwitch.engaged ? { cluster: 'redis-master', engaged: true } : undefined;
      },
    },
    admit: async (requested) => {
      admittedAtMs.push(clock.monotonicMs());
      return { admitted: true, experiment: requested, facts, wouldRun: [] };
    },
    ...changes,
  };
  const wait = () => awaitStart({ experimentId, experiment }, dependencies);
  return { clock, lease, killSwitch, admittedAtMs, wait };
}

/** Admitted with some facts, announced, and admitted with others at its start. */
const waitWith = (before: object, now: object) =>
  world({
    audit: memoryAuditLog({
      entries: logOf(
        experimentId,
        ['ADMITTED', { facts: { ...facts, ...before } }],
        ['ANNOUNCED', { startsAt: iso(60) }],
      ),
    }),
    admit: async () => ({ admitted: true, experiment, facts: { ...facts, ...now }, wouldRun: [] }),
  }).wait();

describe('an announced start', () => {
  it('waits until then, and is admitted once more', async () => {
    const { wait, admittedAtMs } = world();
    await wait();
    expect(admittedAtMs).toEqual([60_000]);
  });

  it('does not come when it would be refused now, and says why', async () => {
    const admit = async () => ({ admitted: false, problem: problem('outside-window', 'the window is over') }) as const;
    await expect(world({ admit }).wait()).rejects.toMatchObject({
      name: 'NotAdmitted',
      message: 'refused at its announced start: the window is over',
    });
  });

  it('does not come when its window would close on it earlier now than it was announced with', async () => {
    const ending = (seconds: number) => ({ closing: { at: iso(seconds), what: 'the window of redis-master' } });
    await expect(waitWith(ending(900), ending(900))).resolves.toBeUndefined();
    await expect(waitWith(ending(900), ending(901))).resolves.toBeUndefined();
    await expect(waitWith(ending(900), {})).resolves.toBeUndefined();
    await expect(waitWith(ending(900), ending(899))).rejects.toMatchObject({
      name: 'NotAdmitted',
      message: RegExp(iso(899)),
    });
    await expect(waitWith({}, ending(900))).rejects.toMatchObject({ name: 'NotAdmitted' });
  });

  it('does not come when the store will not survive it, other than it was announced with', async () => {
    const losing = (toleratedLoss?: string) => ({
      clusters: facts.clusters.map((each) => ({ ...each, ...(toleratedLoss ? { toleratedLoss } : {}) })),
    });
    await expect(waitWith(losing('a'), losing('a'))).resolves.toBeUndefined();
    await expect(waitWith(losing('a'), losing())).resolves.toBeUndefined();
    for (const before of [losing(), losing('a')])
      await expect(waitWith(before, losing('b'))).rejects.toMatchObject({ name: 'NotAdmitted', message: /: b$/ });
  });

  it('does not come when its schedule is approved for another experiment by now', async () => {
    const by = (hash: string) => ({ standingApproval: { by: 'arn:x', until: '2999-01-01', hash } });
    await expect(waitWith(by('a'), by('a'))).resolves.toBeUndefined();
    await expect(waitWith(by('a'), {})).resolves.toBeUndefined();
    for (const before of [by('a'), {}])
      await expect(waitWith(before, by('b'))).rejects.toMatchObject({
        name: 'NotAdmitted',
        message: /another experiment/,
      });
  });

  it('is given up within a second of an abort, and of the kill switch', async () => {
    for (const end of ['abort', 'kill switch']) {
      const { wait, lease, killSwitch, clock, admittedAtMs } = world();
      const ending = clock.sleep(20_500).then(() => {
        if (end === 'kill switch') killSwitch.engaged = true;
        else Object.assign(lease, { state: 'RELEASED', releaseReason: 'ABORT', releaseDetail: 'requested' });
      });
      await expect(wait(), end).rejects.toMatchObject({ name: 'LeaseReleased' });
      await ending;
      expect(clock.monotonicMs()).toBeLessThanOrEqual(21_500);
      expect(admittedAtMs).toEqual([]);
    }
  });

  it('does not come when nobody can know whether it may: no lease, an answer that does not come, no announcement', async () => {
    const failing = () => Promise.reject(new Error('throttled'));
    await expect(world({ leases: { read: async () => undefined } }).wait()).rejects.toThrow('no lease');
    await expect(world({ leases: { read: failing } }).wait()).rejects.toThrow('throttled');
    await expect(world({ switches: { engaged: failing } }).wait()).rejects.toThrow('throttled');
    await expect(world({ admit: failing }).wait()).rejects.toThrow('throttled');
    const silent = memoryAuditLog({ entries: logOf(experimentId, ['ADMITTED']) });
    await expect(world({ audit: silent }).wait()).rejects.toThrow('not announced');
  });

  it('is that of what was admitted', async () => {
    const entries = logOf(experimentId, ['ADMITTED', { experiment: { ...experiment, durationSeconds: 1 } }]);
    await expect(world({ audit: memoryAuditLog({ entries }) }).wait()).rejects.toMatchObject({ name: 'NotAdmitted' });
  });

  it('finds its clusters held by itself, and by nobody else', async () => {
    const held = { lockHolder: async () => 'exp_1' } as unknown as AdmissionPorts;
    expect(await toleratingLock(held, 'exp_1').lockHolder('a')).toBeUndefined();
    expect(await toleratingLock(held, 'exp_2').lockHolder('a')).toBe('exp_1');
    expect(await toleratingLock(held, undefined).lockHolder('a')).toBe('exp_1');
  });

  it('is not kept waiting by a clock that is past it', async () => {
    const clock = new SimulatedClock(EPOCH_MS + 61_000);
    await world({ clock }).wait();
    expect(clock.monotonicMs()).toBe(0);
  });
});
