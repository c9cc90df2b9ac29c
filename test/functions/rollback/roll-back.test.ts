import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../../functions/aws/host-commands.ts';
import { parseHostReport } from '../../../functions/domain/host-report.ts';
import type { ResolvedTargets } from '../../../functions/domain/targets.ts';
import {
  FIS_ROLLBACK_DEADLINE_MS,
  HOST_ROLLBACK_DEADLINE_MS,
  RECORD_DEADLINE_MS,
} from '../../../functions/domain/timing.ts';
import type { FisRollback } from '../../../functions/domain/workflow.ts';
import { plannedFaults, rollbackReason } from '../../../functions/rollback/planned-faults.ts';
import { type RollBackDependencies, rollBack } from '../../../functions/rollback/roll-back.ts';
import { experimentOf, fisFault, hostFault, planOf } from '../domain/experiment-fixtures.ts';
import { command, type Given, logOf, remarks } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { targetNode } from '../domain/target-fixtures.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

/** A host that failed is asked again; its last answer may come a little after the time is over. */
const RETRY_MS = 2000;
const ON_NODE = { node: 'n3', instanceId: 'i-3', faultId: 'exp.1' };
const injecting: Given = ['INJECTING', { commands: [command({ ...ON_NODE, kind: 'NETWORK_PARTITION' })] }];
const inFis: Given = ['INJECTING', planOf([fisFault(2, 0)])];
const reverted: CommandResult = {
  status: 'Success',
  report: {
    faultId: 'exp.1',
    state: 'REVERTED',
    liftedAt: '2026-05-29T13:12:50.000Z',
    revertReason: 'ROLLBACK',
    leftovers: [],
  },
};
const stopped: FisRollback = {
  faultId: 'exp.2',
  fisExperimentId: 'EXP2',
  state: 'stopped',
  outcome: 'REVERTED',
  endedAt: '2026-05-29T13:12:55.000Z',
};
const target = { faultId: 'exp.1', impacted: [targetNode(3, { name: 'n3' })], peers: [], shardMembers: [] };
const targets: ResolvedTargets = { faults: [target], exemptAddresses: {} };

function world(log: Given[], ...answers: CommandResult[]) {
  const acts: string[] = [];
  const clock = new SimulatedClock();
  const audit = memoryAuditLog({ entries: logOf('exp', ...log), clock, onAppend: ({ type }) => acts.push(type) });
  const dependencies: RollBackDependencies = {
    clock,
    services: {
      async rollBack(experimentId) {
        acts.push(`stop FIS ${experimentId}`);
        return [stopped];
      },
    },
    document: 'Holdfast-X-roll-back',
    leases: {
      release: async (_id, reason) => {
        acts.push(`release ${reason}`);
        return true;
      },
      read: async () => leaseOf({ state: 'RELEASED', releaseReason: 'GUARDRAIL', releaseDetail: '5xx' }),
    },
    audit,
    hosts: {
      async run({ instanceId, parameters }) {
        acts.push(`${parameters.verb} ${parameters.faultId} ${instanceId}`);
        clock.advance(500);
        const next = answers.length > 1 ? answers.shift() : answers[0];
        return next ?? { status: 'Undeliverable' };
      },
    },
  };
  const run = (known?: ResolvedTargets, hasFisFaults = false) =>
    rollBack(
      { experimentId: 'exp', reason: 'TTL', detail: 'over', hasFisFaults, ...(known ? { targets: known } : {}) },
      dependencies,
    );
  return { acts, audit, clock, dependencies, run };
}

describe('roll back', () => {
  it('releases the lease first, then reverts every node that was announced, from the id alone', async () => {
    const { run, acts, audit } = world([injecting, injecting], reverted);
    const result = await run();
    expect(acts).toEqual(['release TTL', 'ROLLING_BACK', 'revert exp.1 i-3', 'ROLLED_BACK']);
    expect(audit.detailsOf('ROLLING_BACK')).toEqual([{ reason: 'GUARDRAIL', detail: '5xx' }]);
    expect(result).toMatchObject({
      outcome: 'ROLLED_BACK',
      rolledBackAt: '2026-05-29T13:12:50.000Z',
      nodes: [{ node: 'n3', outcome: 'REVERTED', revertReason: 'ROLLBACK', leftovers: [] }],
    });
  });

  it('has nothing to revert when nothing was ever announced', async () => {
    const { run, acts } = world([['ADMITTED']], reverted);
    expect(await run(targets)).toEqual({ outcome: 'ROLLED_BACK', nodes: [] });
    expect(acts).not.toContain('revert exp.1 i-3');
  });

  it('shows what others changed on the host, and does not fail for it', async () => {
    const changes = ['+ iptables-save filter -A INPUT -s 192.0.2.10/32 -j DROP'];
    const report = { faultId: 'exp.1', state: 'REVERTED' as const, leftovers: [], changes };
    const { run } = world([injecting], { ...reverted, report });
    expect(await run()).toMatchObject({
      outcome: 'ROLLED_BACK',
      nodes: [{ outcome: 'REVERTED', leftovers: [], changes }],
    });
  });

  it.each([
    ['DEADLINE', /n3: the fence fell at its deadline/],
    ['FAILED', /n3: the fence could not be raised/],
  ] as const)('says that clients could write too early when the fence ended as %s', async (outcome, text) => {
    const report = { faultId: 'exp.1', state: 'REVERTED' as const, leftovers: [], fence: { outcome } };
    const { run, audit } = world([injecting], { ...reverted, report });
    const expected = { outcome: 'ROLLED_BACK', problems: [expect.stringMatching(text)] };
    expect(await run()).toMatchObject(expected);
    expect(audit.detailsOf('ROLLED_BACK')).toMatchObject([expected]);
  });

  it.each(['NONE', 'NOT_NEEDED', 'SETTLED'])('has nothing to say of a fence that was %s', async (outcome) => {
    const report = { faultId: 'exp.1', state: 'REVERTED', leftovers: [], fence: { outcome } };
    const { run } = world([injecting], { ...reverted, report });
    const result = await run();
    expect(result).toMatchObject({ outcome: 'ROLLED_BACK', nodes: [{ fence: { outcome } }] });
    expect(result).not.toHaveProperty('problems');
  });

  it('believes a host that it is clean whatever its fence did, and says that nobody knows what that is', async () => {
    const output = '{"faultId":"exp.1","state":"REVERTED","fence":{"outcome":"HANDED_OVER"},"leftovers":[]}';
    const report = parseHostReport(output);
    const { run } = world([injecting], { status: 'Success', ...(report ? { report } : {}) });
    expect(await run()).toMatchObject({
      outcome: 'ROLLED_BACK',
      nodes: [{ outcome: 'REVERTED', fence: { outcome: 'HANDED_OVER' } }],
      problems: [expect.stringMatching(/^n3: the fence ended as HANDED_OVER.* may not have been kept away$/)],
    });
  });

  it('does not believe a state that it does not know, and names it', async () => {
    const { run } = world([injecting], { status: 'Success', report: { faultId: 'exp.1', state: 'SUSPENDED' } });
    expect(await run()).toMatchObject({
      outcome: 'ROLLBACK_FAILED',
      nodes: [{ outcome: 'FAILED', detail: 'SUSPENDED (SSM: Success)' }],
    });
  });

  it('records what the host saw of the fault, when that was gone, and what a person should know', async () => {
    const seen = { revertReason: 'EFFECT_LOST', effectLostAt: '2026-05-29T13:12:40.000Z', ...remarks };
    const { run, audit } = world([injecting], {
      ...reverted,
      report: { ...reverted.report, state: 'REVERTED', ...seen },
    });
    await run();
    expect(audit.detailsOf('ROLLED_BACK')).toMatchObject([{ outcome: 'ROLLED_BACK', nodes: [seen] }]);
  });

  it('tries again until the host proves that it is clean', async () => {
    const dirty = {
      ...reverted,
      report: { ...reverted.report, state: 'REVERTED' as const, leftovers: ['-A INPUT -j DROP'] },
    };
    const { run, acts } = world([injecting], { status: 'Undeliverable' }, dirty, reverted);
    expect((await run()).outcome).toBe('ROLLED_BACK');
    expect(acts.filter((act) => act.startsWith('revert'))).toHaveLength(3);
  });

  it.each<[string, CommandResult]>([
    ['leaves something over', { ...reverted, report: { faultId: 'exp.1', state: 'REVERTED', leftovers: ['a rule'] } }],
    ['says FAILED', { status: 'Failed', report: { faultId: 'exp.1', state: 'FAILED', reason: 'no iptables' } }],
    ['does not answer', { status: 'DEADLINE' }],
    ['answers for another fault', { ...reverted, report: { faultId: 'other.1', state: 'REVERTED' } }],
  ])('ends as ROLLBACK_FAILED in time when a host %s', async (_what, answer) => {
    const { run, acts, clock } = world([injecting], answer);
    expect(await run()).toMatchObject({ outcome: 'ROLLBACK_FAILED', nodes: [{ outcome: 'FAILED' }] });
    expect(acts.at(-1)).toBe('ROLLBACK_FAILED');
    expect(clock.monotonicMs()).toBeLessThan(HOST_ROLLBACK_DEADLINE_MS + RETRY_MS);
  });

  it('goes on when neither lease nor log can be written or read, and says so', async () => {
    const { run, acts, dependencies, clock } = world([], reverted);
    const down = () => Promise.reject(new Error('down'));
    dependencies.leases = { release: down, read: down };
    dependencies.audit = { append: () => new Promise(() => {}), read: down };
    const result = await run(targets);
    expect(acts).toEqual(['revert exp.1 i-3']);
    expect(result.outcome).toBe('ROLLED_BACK');
    expect(result.problems).toEqual([
      'lease not released: down',
      'lease not read: down',
      `ROLLING_BACK not written: no answer within ${RECORD_DEADLINE_MS} ms`,
      'audit log not read: down',
      `ROLLED_BACK not written: no answer within ${RECORD_DEADLINE_MS} ms`,
    ]);
    expect(clock.monotonicMs()).toBeLessThan(2 * RECORD_DEADLINE_MS + RETRY_MS);
  });

  it('does not call it rolled back when nobody knows what was injected', async () => {
    const { run, dependencies } = world([], reverted);
    dependencies.audit.read = () => Promise.reject(new Error('down'));
    expect(await run()).toMatchObject({ outcome: 'ROLLBACK_FAILED', nodes: [] });
  });

  it('ends what runs in FIS beside the hosts, after the lease is released, and counts the later end', async () => {
    const { run, acts } = world([injecting, inFis], reverted);
    expect(await run(targets, true)).toMatchObject({
      outcome: 'ROLLED_BACK',
      rolledBackAt: stopped.endedAt,
      nodes: [{ node: 'n3', outcome: 'REVERTED' }],
      services: [stopped],
    });
    expect(acts).toEqual(['release TTL', 'ROLLING_BACK', 'revert exp.1 i-3', 'stop FIS exp', 'ROLLED_BACK']);
  });

  it('takes the end of a fault on a host for the end beside an action that was over at once, and now where that was all', async () => {
    const { endedAt: _endedAt, ...over } = { ...stopped, state: 'completed' };
    const both = world([injecting, inFis], reverted);
    both.dependencies.services.rollBack = async () => [over];
    // The proof comes later than the end.
    await both.clock.sleep(600_000);
    expect((await both.run(targets, true)).rolledBackAt).toBe('2026-05-29T13:12:50.000Z');
    const alone = world([inFis]);
    alone.dependencies.services.rollBack = async () => [over];
    const { rolledBackAt } = await alone.run(targets, true);
    expect(rolledBackAt).toBe(new Date(alone.clock.nowEpochMs()).toISOString());
  });

  it('fails when FIS could not be ended, however clean the hosts are', async () => {
    const { run, dependencies, audit } = world([injecting, inFis], reverted);
    const failed: FisRollback = { ...stopped, outcome: 'FAILED', detail: 'instance i-3 is stopped' };
    dependencies.services.rollBack = async () => [failed];
    expect(await run()).toMatchObject({ outcome: 'ROLLBACK_FAILED', services: [failed] });
    expect(audit.detailsOf('ROLLBACK_FAILED')).toMatchObject([{ services: [failed] }]);
  });

  it('tries a host for as long as FIS may take to start it again', async () => {
    const away = Array.from({ length: 60 }, (): CommandResult => ({ status: 'Undeliverable' }));
    const { run, clock } = world([injecting, inFis], ...away, reverted);
    expect(await run()).toMatchObject({ outcome: 'ROLLED_BACK' });
    expect(clock.monotonicMs()).toBeGreaterThan(HOST_ROLLBACK_DEADLINE_MS);
    expect(clock.monotonicMs()).toBeLessThan(FIS_ROLLBACK_DEADLINE_MS);
  });

  it('asks FIS when the log cannot be read and the experiment has such a fault, and not otherwise', async () => {
    for (const hasFisFaults of [true, false]) {
      const { run, acts, dependencies } = world([], reverted);
      dependencies.audit.read = () => Promise.reject(new Error('down'));
      await run(targets, hasFisFaults);
      expect(acts.includes('stop FIS exp')).toBe(hasFisFaults);
    }
    const { run, acts } = world([injecting], reverted);
    await run(targets, true);
    expect(acts).not.toContain('stop FIS exp');
  });

  it('sends no host command for a fault that FIS runs: its host may be stopped', () => {
    const experiment = experimentOf([hostFault(1, 0), fisFault(2, 0)]);
    const both = { ...targets, faults: [target, { ...target, faultId: 'exp.2' }] };
    expect(plannedFaults({ experiment, targets: both })).toEqual({ targets, hasFisFaults: true });
    expect(plannedFaults({ experiment: experimentOf([hostFault(1, 0)]) })).toEqual({ hasFisFaults: false });
  });

  it('gives the lease the reason that its run shows', () => {
    expect(rollbackReason({ rollbackOnly: false }).reason).toBe('TTL');
    expect(rollbackReason({ rollbackOnly: false, cause: { Error: 'InjectionFailed', Cause: 'x' } }).reason).toBe(
      'ROLLBACK',
    );
    expect(rollbackReason({ rollbackOnly: true }).reason).toBe('SWEEP');
  });

  it('says in words why a function failed, without the trace that Lambda puts beside them', () => {
    const Cause = JSON.stringify({ errorType: 'SteadyStateNotMet', errorMessage: 'lag is 9 s', trace: ['at x'] });
    const detailOf = (cause: string) =>
      rollbackReason({ rollbackOnly: false, cause: { Error: 'SteadyStateNotMet', Cause: cause } }).detail;
    expect(detailOf(Cause)).toBe('SteadyStateNotMet: lag is 9 s');
    expect(detailOf('{"other": 1}')).toBe('SteadyStateNotMet: {"other": 1}');
    expect(detailOf('timed out')).toBe('SteadyStateNotMet: timed out');
    expect(detailOf('x'.repeat(5000))).toHaveLength(1000);
  });
});
