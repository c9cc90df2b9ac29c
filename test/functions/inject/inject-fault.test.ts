import { describe, expect, it } from 'vitest';
import type { CommandResult, HostCommand } from '../../../functions/aws/host-commands.ts';
import type { EntryDetails } from '../../../functions/domain/audit-entry.ts';
import { ErrorName, WorkflowError } from '../../../functions/domain/errors.ts';
import type { Fault } from '../../../functions/domain/experiment.ts';
import { grantFor } from '../../../functions/domain/grant.ts';
import type { Hypothesis } from '../../../functions/domain/hypothesis.ts';
import {
  FIS_INJECT_DEADLINE_MS,
  HOST_INJECT_DEADLINE_MS,
  OBSERVED_DEADLINE_MS,
  PROBE_BASELINE_MS,
  PROBE_READY_DEADLINE_MS,
} from '../../../functions/domain/timing.ts';
import type { Injection } from '../../../functions/domain/workflow.ts';
import { type InjectDependencies, type InjectTask, injectFault } from '../../../functions/inject/inject-fault.ts';
import type { Lease } from '../../../functions/tables/leases.ts';
import { admittedLog, resolvedTargetsOf } from '../domain/admitted-fixtures.ts';
import { experimentOf, fisFault, hostFault, planOf } from '../domain/experiment-fixtures.ts';
import { type Changes, detailsOf, remarks } from '../domain/fixtures.ts';
import { checkOf, hypothesisOf, WRITE_LATENCY } from '../domain/hypothesis-fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const [CHECK] = detailsOf('TARGETS_CHECKED').clusters;
if (!CHECK) throw new Error('the fixture has no cluster');

/** Hosts and service confirm after a second; a log that keeps what was written; a lease that is held. */
function world(
  faults: Fault[] = [hostFault(1, 0)],
  result?: CommandResult,
  { ready = {}, ...more }: { ready?: Changes<EntryDetails['PROBE_READY']>; hypothesis?: Hypothesis } = {},
) {
  const acts: string[] = [];
  const clock = new SimulatedClock();
  const experiment = { ...experimentOf(faults), ...more };
  const targets = resolvedTargetsOf(experiment);
  const audit = memoryAuditLog({
    entries: admittedLog(experiment, ['PROBE_READY', ready]),
    clock,
    onAppend: ({ type }) => type !== 'TARGETS_CHECKED' && acts.push(type),
  });
  const lease = leaseOf({ beat: 2 });
  /** The guard adds a beat every second. */
  const guard = { alive: true };
  const sent: HostCommand[] = [];
  const held = (act: string, change: Partial<Lease>) => {
    if (lease.state !== 'HOLD') throw new WorkflowError(ErrorName.LeaseReleased, 'released');
    acts.push(act);
    return Object.assign(lease, change);
  };
  const dependencies: InjectDependencies = {
    clock,
    documentPrefix: 'Holdfast-X-',
    hosts: {
      async run(command) {
        acts.push('send');
        sent.push(command);
        await clock.sleep(1000);
        const number = command.instanceId.replace(/\D/g, '');
        return result ?? { status: 'Success', report: { faultId: `exp.${number}`, state: 'APPLIED' } };
      },
    },
    services: {
      async inject(_id, { faultId }) {
        acts.push('start');
        await clock.sleep(1500);
        return { fisExperimentId: `EXP-${faultId}` };
      },
    },
    audit,
    leases: {
      read: async () => ({ ...lease, beat: lease.beat + (guard.alive ? Math.floor(clock.monotonicMs() / 1000) : 0) }),
      grant: async (_id, grants) => held('grant', { grants: [...lease.grants, ...grants] }),
      setEndsAt: async (_id, endsAt) => held('hold', { endsAt }),
    },
  };
  const task: InjectTask = {
    announce: undefined,
    experiment,
    targets,
    plan: (_targets, batch, ttlSeconds) => planOf(batch, ttlSeconds),
  };
  const inject = () => injectFault(task, dependencies);
  const check = (changes = {}) =>
    audit.append(
      'exp',
      'TARGETS_CHECKED',
      { function: 'check-targets' },
      { ...detailsOf('TARGETS_CHECKED'), ...changes },
    );
  /** A later batch as the state machine comes to it: its targets were looked at just before. */
  const injectNext = async () => {
    await check();
    return inject();
  };
  /** As the state machine does: until no next fault is named. */
  async function run(): Promise<Injection> {
    let injection = await inject();
    while (injection.nextFaultAt !== undefined) {
      await clock.sleep(Math.max(0, Date.parse(injection.nextFaultAt) - clock.nowEpochMs()));
      injection = await injectNext();
    }
    return injection;
  }
  return { acts, audit, guard, lease, clock, sent, dependencies, experiment, task, inject, injectNext, check, run };
}

describe('inject fault', () => {
  it('injects nothing in production that nobody was told of, though an execution was started by hand', async () => {
    const { task, dependencies, audit, sent } = world();
    const announce = { leadSeconds: 0, alsoClusters: [] };
    await expect(injectFault({ ...task, announce }, dependencies)).rejects.toMatchObject({ name: 'NotAdmitted' });
    expect([...audit.detailsOf('INJECTING'), ...sent]).toEqual([]);
  });

  it('records, grants exactly these parameters, sends, holds, and only then says INJECTED', async () => {
    const { inject, acts, lease, audit, sent } = world();
    const injection = await inject();
    expect(acts).toEqual(['INJECTING', 'grant', 'send', 'hold', 'INJECTED']);
    expect(lease.grants).toEqual([grantFor('i-node-1', { ttlSeconds: '60' })]);
    expect(sent[0]?.document).toBe('Holdfast-X-cpu-spike');
    expect(Date.parse(injection.endsAt) - Date.parse(injection.injectedAt)).toBe(60_000);
    expect(lease.endsAt).toBe(injection.endsAt);
    expect(injection).not.toHaveProperty('nextFaultAt');
    expect(audit.detailsOf('INJECTING')).toMatchObject([
      { commands: [{ node: 'node-1', undo: ['stop'] }], services: [] },
    ]);
  });

  it('records what each host saw of its fault and what a person should know, confirmed or not', async () => {
    const report = { faultId: 'exp.1', state: 'APPLIED', ...remarks };
    const confirmed = world([hostFault(1, 0)], { status: 'Success', report });
    await confirmed.inject();
    expect(confirmed.audit.detailsOf('INJECTED')).toMatchObject([{ nodes: [{ state: 'APPLIED', ...remarks }] }]);
    const failed = world([hostFault(1, 0)], { status: 'Failed', report: { ...report, state: 'FAILED' } });
    await expect(failed.inject()).rejects.toMatchObject({ name: 'InjectionFailed' });
    expect(failed.audit.detailsOf('INJECTION_FAILED')).toMatchObject([{ nodes: [{ state: 'FAILED', ...remarks }] }]);
  });

  it('sends nothing while nobody watches', async () => {
    const { inject, acts, lease, guard, clock } = world();
    guard.alive = false;
    lease.beat = 1;
    await expect(inject()).rejects.toMatchObject({ name: 'InjectionFailed', message: /nobody watches/ });
    expect(acts).toEqual([]);
    expect(clock.monotonicMs()).toBe(OBSERVED_DEADLINE_MS);
  });

  it('sends nothing while nobody measures', async () => {
    const { inject, acts, audit, clock } = world();
    audit.entries.splice(audit.entries.findIndex(({ type }) => type === 'PROBE_READY'));
    await expect(inject()).rejects.toMatchObject({ name: 'InjectionFailed', message: /nobody measures/ });
    expect(acts).toEqual([]);
    expect(clock.monotonicMs()).toBe(PROBE_READY_DEADLINE_MS);
  });

  it('sends nothing while one of the impacted shards is not measured, and names it', async () => {
    const { inject, acts } = world([hostFault(1, 0), hostFault(2, 0, 'redis-other')]);
    await expect(inject()).rejects.toMatchObject({ message: /nobody measures shard-1 of redis-other:/ });
    expect(acts).toEqual([]);
  });

  describe('with checks that the probe must see hold before', () => {
    const writes = checkOf({ name: 'writes', measure: WRITE_LATENCY, tolerance: { atMost: 50, unit: 'ms' } });
    const later = checkOf({ ...writes, name: 'later', when: 'AFTER_ROLLBACK', withinSeconds: 5 });
    const lag = checkOf();
    const held = { check: 'writes', value: 9, held: true };
    const withChecks = (ready: Changes<EntryDetails['PROBE_READY']> = {}, faults?: Fault[]) =>
      world(faults, undefined, { hypothesis: hypothesisOf(writes, later, lag), ready });

    it('injects when each of them held', async () => {
      const { inject, acts } = withChecks({ checks: [held] });
      await inject();
      expect(acts).toContain('send');
    });

    it.each<[string, Changes<EntryDetails['PROBE_READY']>, RegExp]>([
      [
        'did not hold',
        { checks: [{ check: 'writes', value: 80, held: false, reason: 'is 80 ms, it must be at most 50 ms' }] },
        /^writes on shard-1 of redis-master: is 80 ms, it must be at most 50 ms$/,
      ],
      ['was not measured', {}, /^writes on shard-1 of redis-master: was not measured$/],
      ['was not measured beside another', { checks: [{ ...held, check: 'other' }] }, /writes .* was not measured$/],
    ])('announces and sends nothing when one %s', async (_what, ready, message) => {
      const { inject, acts } = withChecks(ready);
      await expect(inject()).rejects.toMatchObject({ name: 'SteadyStateNotMet', message });
      expect(acts).toEqual([]);
    });

    it('does not ask again before a later batch: the fault is there by then', async () => {
      const { run, acts, audit } = withChecks({ checks: [held] }, [hostFault(1, 0), hostFault(2, 10)]);
      const { read } = audit;
      // What the second batch finds in the log has no reading any more.
      audit.read = async (id) =>
        (await read(id)).map((entry, _index, all) =>
          entry.type === 'PROBE_READY' && all.some(({ type }) => type === 'INJECTED')
            ? { ...entry, details: { ...entry.details, checks: [] } }
            : entry,
        );
      await run();
      expect(acts.filter((act) => act === 'INJECTED')).toHaveLength(2);
    });

    it('waits so much longer for a probe as it takes to see a whole window, and no longer than for the guard', async () => {
      const { inject, audit, clock } = withChecks();
      audit.entries.splice(audit.entries.findIndex(({ type }) => type === 'PROBE_READY'));
      await expect(inject()).rejects.toMatchObject({ name: 'InjectionFailed', message: /nobody measures/ });
      expect(clock.monotonicMs()).toBe(PROBE_READY_DEADLINE_MS + PROBE_BASELINE_MS);
      expect(clock.monotonicMs()).toBeLessThanOrEqual(OBSERVED_DEADLINE_MS);
    });
  });

  describe('under a window that closes', () => {
    /** @param closesAfterMs from the moment at which it is called */
    const closing = (closesAfterMs: number, faults = [hostFault(1, 0)]) => {
      const given = world(faults);
      const [admitted] = given.audit.entries;
      if (admitted?.type !== 'ADMITTED') throw new Error('nothing was admitted');
      const at = new Date(given.clock.nowEpochMs() + closesAfterMs).toISOString();
      Object.assign(admitted.details.facts, { closing: { at, what: 'the window of redis-master' } });
      return given;
    };
    const late = { name: 'OutsideLimits', message: /the window of redis-master ends at/ };

    it.each([
      ['host', hostFault(1, 0), HOST_INJECT_DEADLINE_MS],
      ['FIS', fisFault(1, 0), FIS_INJECT_DEADLINE_MS],
    ])(
      'announces and sends nothing (%s) that could live beyond it, if it begins as late as it may',
      async (_what, fault, beginsMs) => {
        const inTime = closing(beginsMs + 60_000, [fault]);
        await inTime.inject();
        expect(inTime.acts).toContain('INJECTED');
        const tooLate = closing(beginsMs + 59_999, [fault]);
        await expect(tooLate.inject()).rejects.toMatchObject(late);
        expect(tooLate.acts).toEqual([]);
      },
    );

    it('rolls back what was confirmed so late that it would live beyond it', async () => {
      const { inject, acts, dependencies, clock } = closing(HOST_INJECT_DEADLINE_MS + 60_000);
      const { run } = dependencies.hosts;
      dependencies.hosts.run = async (...command) => {
        await clock.sleep(HOST_INJECT_DEADLINE_MS);
        return run(...command);
      };
      await expect(inject()).rejects.toMatchObject(late);
      expect(acts).toEqual(['INJECTING', 'grant', 'send', 'INJECTION_FAILED']);
    });

    it('sends no later fault when the end of all, which stands in the log, is beyond it', async () => {
      const { inject, injectNext, audit, sent } = closing(HOST_INJECT_DEADLINE_MS + 60_000, [
        hostFault(1, 0),
        hostFault(2, 4),
      ]);
      await inject();
      const injected = audit.entries.find((entry) => entry.type === 'INJECTED');
      const beyond = new Date(Date.parse(injected?.at ?? '') + HOST_INJECT_DEADLINE_MS + 61_000).toISOString();
      Object.assign(injected?.details ?? {}, { endsAt: beyond });
      await expect(injectNext()).rejects.toMatchObject(late);
      expect(sent).toHaveLength(1);
    });
  });

  it('sends nothing under a released lease', async () => {
    const { inject, acts, lease } = world();
    lease.state = 'RELEASED';
    await expect(inject()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(acts).toEqual([]);
  });

  it('sends nothing when the announcement cannot be written', async () => {
    const { inject, acts, dependencies } = world();
    dependencies.audit.append = () => Promise.reject(new Error('down'));
    await expect(inject()).rejects.toThrow('down');
    expect(acts).toEqual([]);
  });

  it.each<[string, (given: ReturnType<typeof world>) => unknown]>([
    ['nothing was admitted', ({ audit }) => audit.entries.splice(0, 1)],
    ['its targets were never resolved', ({ audit }) => audit.entries.splice(1, 1)],
    ['another experiment was admitted', ({ task }) => Object.assign(task.experiment, { durationSeconds: 600 })],
    ['it has other nodes', ({ task }) => (task.targets = resolvedTargetsOf(experimentOf([hostFault(2, 0)])))],
    ['it spares other addresses', ({ task }) => (task.targets = { faults: [], ...task.targets, exemptAddresses: {} })],
    ['it has no nodes', ({ task }) => delete task.targets],
    [
      'the log cannot be read',
      ({ dependencies }) => (dependencies.audit.read = () => Promise.reject(new Error('down'))),
    ],
  ])('announces, grants and sends nothing when %s', async (_what, change) => {
    const given = world();
    change(given);
    await expect(given.inject()).rejects.toThrow(/not what was admitted|down/);
    expect(given.acts).toEqual([]);
    expect([given.sent, given.lease.grants]).toEqual([[], []]);
  });

  it('never sends a fault a second time that was announced before, whatever became of it', async () => {
    const { inject, acts, audit, experiment } = world();
    await audit.append('exp', 'INJECTING', { function: 'inject-fault' }, planOf(experiment.faults));
    acts.length = 0;
    await expect(inject()).rejects.toMatchObject({ name: 'InjectionFailed', message: /announced before.*exp\.1/ });
    expect(acts).toEqual([]);
  });

  it.each<[string, CommandResult]>([
    ['the host refuses', { status: 'Failed', report: { faultId: 'exp.1', state: 'REFUSED', reason: 'no tc' } }],
    ['the host is in a state that nobody knows', { status: 'Success', report: { faultId: 'exp.1', state: 'ALIVE' } }],
    ['the command times out', { status: 'DEADLINE' }],
    ['the host answers nothing readable', { status: 'Success' }],
    ['the host speaks of another fault', { status: 'Success', report: { faultId: 'other.1', state: 'APPLIED' } }],
  ])('fails, so that it is rolled back, when %s', async (_what, result) => {
    const { inject, acts } = world([hostFault(1, 0)], result);
    await expect(inject()).rejects.toMatchObject({ name: 'InjectionFailed' });
    expect(acts).toEqual(['INJECTING', 'grant', 'send', 'INJECTION_FAILED']);
  });

  it('does not call it injected when the lease went while the hosts answered', async () => {
    const { inject, acts, dependencies, lease } = world();
    const { run } = dependencies.hosts;
    dependencies.hosts.run = async (...command) => {
      const result = await run(...command);
      lease.state = 'RELEASED';
      return result;
    };
    await expect(inject()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(acts).toEqual(['INJECTING', 'grant', 'send', 'INJECTION_FAILED']);
  });
});

describe('inject several faults', () => {
  it('in batches, each recorded and granted on its own, under the times of the first', async () => {
    const { run, acts, audit, lease, sent, clock } = world([hostFault(1, 0), hostFault(2, 10), hostFault(3, 10)]);
    const injection = await run();
    const batchOfOne = ['INJECTING', 'grant', 'send', 'hold', 'INJECTED'];
    expect(acts).toEqual([...batchOfOne, 'INJECTING', 'grant', 'send', 'send', 'hold', 'INJECTED']);
    const times = { injectedAt: injection.injectedAt, endsAt: injection.endsAt };
    expect(audit.detailsOf('INJECTED')).toMatchObject([
      { ...times, faults: ['exp.1'], injectedFaults: ['exp.1'] },
      { ...times, faults: ['exp.2', 'exp.3'], injectedFaults: ['exp.1', 'exp.2', 'exp.3'] },
    ]);
    expect(lease.endsAt).toBe(injection.endsAt);
    expect(lease.grants).toHaveLength(3);
    // Confirmed after 1 s, so the second batch comes at 11 s, sees a new beat at 12 s, and has 49 s left.
    expect(sent.map(({ parameters }) => parameters.ttlSeconds)).toEqual(['60', '49', '49']);
    expect(clock.monotonicMs()).toBe(13_000);
  });

  it.each<[string, (given: ReturnType<typeof world>) => Promise<unknown>]>([
    ['nobody has looked', async () => {}],
    ['the limits did not hold', ({ check }) => check({ clusters: [{ ...CHECK, problems: ['too few'] }] })],
    [
      'that was long ago',
      async ({ check, clock }) => {
        await check();
        await clock.sleep(31_000);
      },
    ],
  ])('sends no later fault when %s', async (_what, look) => {
    const given = world([hostFault(1, 0), hostFault(2, 4)]);
    await given.check();
    await given.inject();
    await look(given);
    await expect(given.inject()).rejects.toMatchObject({ name: 'InjectionFailed', message: /looked at the targets/ });
    expect(given.sent).toHaveLength(1);
  });

  it('takes from the log what was injected before, and when it ends, whatever else it is told', async () => {
    const { inject, injectNext, clock, task } = world([hostFault(1, 0), hostFault(2, 10)]);
    const first = await inject();
    await clock.sleep(10_000);
    const forged = { injectedAt: first.injectedAt, endsAt: '2099-01-01T00:00:00.000Z', injectedFaults: [] };
    Object.assign(task, { injection: forged });
    expect(await injectNext()).toMatchObject({ endsAt: first.endsAt, injectedFaults: ['exp.1', 'exp.2'] });
  });

  it('announces in a later batch only the faults of that batch', async () => {
    const { run, audit } = world([hostFault(1, 0), hostFault(2, 10)]);
    await run();
    expect(audit.detailsOf('INJECTING')).toMatchObject([
      { commands: [{ faultId: 'exp.1' }] },
      { commands: [{ faultId: 'exp.2' }] },
    ]);
  });

  it('fails as a whole when a later fault is not confirmed', async () => {
    const { run, acts, dependencies } = world([hostFault(1, 0), hostFault(2, 10)]);
    const { run: send } = dependencies.hosts;
    dependencies.hosts.run = async (command, timeoutMs) =>
      command.instanceId === 'i-node-2' ? { status: 'Failed' } : send(command, timeoutMs);
    await expect(run()).rejects.toMatchObject({ name: 'InjectionFailed', message: /node-2: no report/ });
    expect(acts.at(-1)).toBe('INJECTION_FAILED');
  });

  it('sends no later fault when the lease went meanwhile', async () => {
    const { inject, lease, sent, injectNext } = world([hostFault(1, 0), hostFault(2, 4)]);
    await inject();
    lease.state = 'RELEASED';
    await expect(injectNext()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['after as long as for the first fault', 10_000, OBSERVED_DEADLINE_MS],
    ['no longer than to the common end', 57_000, 3_000],
  ])('sends no later fault when the guard has gone silent since, and gives up %s', async (_what, sleepMs, waitMs) => {
    const { inject, guard, clock, sent, injectNext } = world([hostFault(1, 0), fisFault(2, 10)]);
    await inject();
    await clock.sleep(sleepMs);
    guard.alive = false;
    const startedMs = clock.monotonicMs();
    await expect(injectNext()).rejects.toMatchObject({ name: 'InjectionFailed', message: /nobody watches/ });
    expect(clock.monotonicMs() - startedMs).toBe(waitMs);
    expect(sent).toHaveLength(1);
  });

  it('does not inject a fault with less than a second left, and the log says so', async () => {
    const { inject, acts, clock, audit, injectNext } = world([hostFault(1, 0), hostFault(2, 10), hostFault(3, 30)]);
    const injection = await inject();
    acts.length = 0;
    await clock.sleep(59_001);
    expect(await injectNext()).toEqual({
      injectedAt: injection.injectedAt,
      endsAt: injection.endsAt,
      injectedFaults: ['exp.1'],
    });
    expect(acts).toEqual(['INJECTION_SKIPPED']);
    expect(audit.detailsOf('INJECTION_SKIPPED')).toMatchObject([{ faults: ['exp.2', 'exp.3'] }]);
  });

  it('waits for its second when it is called a little early, and refuses when that makes no sense', async () => {
    const { inject, clock, injectNext } = world([hostFault(1, 0), hostFault(2, 10)]);
    await inject();
    await expect(injectNext()).rejects.toMatchObject({ name: 'InjectionFailed', message: /early/ });
    await clock.sleep(6000);
    await injectNext();
    // 1 s for the first batch, 10 s until the second is due, 1 s for a new beat, 1 s for the second.
    expect(clock.monotonicMs()).toBe(13_000);
  });

  it('does not wait for an answer beyond the common end: the earlier faults have to be rolled back', async () => {
    const { inject, clock, dependencies, injectNext } = world([hostFault(1, 0), fisFault(2, 50)]);
    const injection = await inject();
    dependencies.services.inject = () => new Promise(() => {});
    await clock.sleep(50_000);
    await expect(injectNext()).rejects.toMatchObject({
      name: 'InjectionFailed',
      message: /exp\.2: not confirmed/,
    });
    expect(clock.nowEpochMs()).toBe(Date.parse(injection.endsAt));
  });
});

describe('inject faults that FIS applies', () => {
  it('before those of the hosts, which get nothing and are announced nothing until the service runs them', async () => {
    const { run, acts, clock, audit, sent } = world([hostFault(1, 0), fisFault(2, 0)]);
    const { injectedFaults, injectedAt, endsAt } = await run();
    expect(injectedFaults).toEqual(['exp.2', 'exp.1']);
    const services = ['INJECTING', 'start', 'hold', 'INJECTED'];
    expect(acts).toEqual([...services, 'INJECTING', 'grant', 'send', 'hold', 'INJECTED']);
    expect(audit.detailsOf('INJECTING')).toMatchObject([
      { commands: [], services: [{ faultId: 'exp.2', action: { undo: ['start'] } }] },
      { commands: [{ faultId: 'exp.1' }], services: [] },
    ]);
    expect(audit.detailsOf('INJECTED')[0]).toMatchObject({
      services: [{ faultId: 'exp.2', fisExperimentId: 'EXP-exp.2' }],
    });
    // The service took 1.5 s, the new beat came half a second later: the host's TTL ends with the common end.
    expect(sent.map(({ parameters }) => parameters.ttlSeconds)).toEqual(['59']);
    expect(clock.monotonicMs()).toBe(3000);
    expect(Date.parse(endsAt) - Date.parse(injectedAt)).toBe(60_000);
  });

  it('and touches no host when the service refuses', async () => {
    const { run, acts, dependencies, audit, sent, lease } = world([hostFault(1, 0), fisFault(2, 0)]);
    dependencies.services.inject = async () => {
      acts.push('start');
      throw new Error('FIS refuses: at most 5');
    };
    await expect(run()).rejects.toMatchObject({ name: 'InjectionFailed', message: 'exp.2: FIS refuses: at most 5' });
    expect(acts).toEqual(['INJECTING', 'start', 'INJECTION_FAILED']);
    expect([sent, lease.grants]).toEqual([[], []]);
    expect(audit.detailsOf('INJECTION_FAILED')).toMatchObject([
      { nodes: [], services: [{ faultId: 'exp.2', problem: 'FIS refuses: at most 5' }] },
    ]);
  });

  it('grants nothing to nobody when there is no host to grant to', async () => {
    const { run, acts } = world([fisFault(1, 0)]);
    await run();
    expect(acts).toEqual(['INJECTING', 'start', 'hold', 'INJECTED']);
  });

  it('gives a service up that never answers', async () => {
    const { run, clock, dependencies } = world([fisFault(1, 0)]);
    dependencies.services.inject = () => new Promise(() => {});
    await expect(run()).rejects.toMatchObject({ name: 'InjectionFailed' });
    expect(clock.monotonicMs()).toBe(FIS_INJECT_DEADLINE_MS);
  });
});
