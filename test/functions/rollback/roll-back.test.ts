import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../../functions/aws/host-commands.ts';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import type { ExperimentRun, FisRollback, ResolvedTargets } from '../../../functions/domain/workflow.ts';
import { plannedFaults } from '../../../functions/rollback/planned-faults.ts';
import { rollBack } from '../../../functions/rollback/roll-back.ts';
import { whyRolledBack } from '../../../functions/rollback/why.ts';
import type { Lease } from '../../../functions/tables/leases.ts';
import { SimulatedClock } from '../guard/simulated-clock.ts';

const injecting = {
  type: 'INJECTING',
  details: { commands: [{ node: 'n3', instanceId: 'i-3', faultId: 'exp.1', kind: 'X' }] },
};
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
const inService = {
  type: 'INJECTING',
  details: { commands: [], services: [{ faultId: 'exp.2', kind: 'INSTANCE_STOP' }] },
};
const stopped: FisRollback = {
  faultId: 'exp.2',
  fisExperimentId: 'EXP2',
  state: 'stopped',
  outcome: 'REVERTED',
  endedAt: '2026-05-29T13:12:55.000Z',
};
const targets: ResolvedTargets = {
  faults: [
    {
      faultId: 'exp.1',
      impacted: [
        {
          ...{ name: 'n3', instanceId: 'i-3', addresses: ['10.0.0.3'], shard: 's', role: 'master' },
          ...{ availabilityZone: 'eu-west-1c', subnetId: 'subnet-c', dataVolumeIds: [] },
        },
      ],
      peers: [],
      shardMembers: [],
    },
  ],
  exemptAddresses: {},
};

function world(log: unknown[], ...answers: CommandResult[]) {
  const acts: string[] = [];
  const written: Record<string, unknown>[] = [];
  const clock = new SimulatedClock();
  const dependencies = {
    clock,
    services: {
      async rollBack(experimentId: string): Promise<FisRollback[]> {
        acts.push(`stop FIS ${experimentId}`);
        return [stopped];
      },
    },
    document: 'Holdfast-X-roll-back',
    leases: {
      release: async (_id: string, reason: string) => {
        acts.push(`release ${reason}`);
      },
      read: async () => ({ releaseReason: 'GUARDRAIL', releaseDetail: '5xx' }) as Lease,
    },
    audit: {
      async append(_id: string, type: string, _actor: unknown, details: Record<string, unknown>) {
        acts.push(type);
        written.push(details);
        return {} as never;
      },
      read: async () => log as AuditEntry[],
    },
    hosts: {
      async run({ instanceId, parameters }: { instanceId: string; parameters: Readonly<Record<string, string>> }) {
        acts.push(`${parameters.verb} ${parameters.faultId} ${instanceId}`);
        clock.advance(500);
        return answers.length > 1 ? (answers.shift() as CommandResult) : (answers[0] as CommandResult);
      },
    },
  };
  const run = (known?: ResolvedTargets, hasFisFaults = false) =>
    rollBack(
      { experimentId: 'exp', reason: 'TTL', detail: 'over', hasFisFaults, ...(known ? { targets: known } : {}) },
      dependencies,
    );
  return { acts, written, clock, dependencies, run };
}

describe('roll back', () => {
  it('releases the lease first, then reverts every node that was announced, from the id alone', async () => {
    const { run, acts, written } = world([injecting, injecting], reverted);
    const result = await run();
    expect(acts).toEqual(['release TTL', 'ROLLING_BACK', 'revert exp.1 i-3', 'ROLLED_BACK']);
    expect(written[0]).toEqual({ reason: 'GUARDRAIL', detail: '5xx' });
    expect(result).toMatchObject({
      outcome: 'ROLLED_BACK',
      rolledBackAt: '2026-05-29T13:12:50.000Z',
      nodes: [{ node: 'n3', outcome: 'REVERTED', revertReason: 'ROLLBACK', leftovers: [] }],
    });
  });

  it('has nothing to revert when nothing was ever announced', async () => {
    const { run, acts } = world([{ type: 'ADMITTED', details: {} }], reverted);
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
    const { run, written } = world([injecting], { ...reverted, report });
    const expected = { outcome: 'ROLLED_BACK', problems: [expect.stringMatching(text)] };
    expect(await run()).toMatchObject(expected);
    expect(written.at(-1)).toMatchObject(expected);
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
  ])('ends as ROLLBACK_FAILED within a minute when a host %s', async (_what, answer) => {
    const { run, acts, clock } = world([injecting], answer);
    expect(await run()).toMatchObject({ outcome: 'ROLLBACK_FAILED', nodes: [{ outcome: 'FAILED' }] });
    expect(acts.at(-1)).toBe('ROLLBACK_FAILED');
    expect(clock.monotonicMs()).toBeLessThan(60_000);
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
      'ROLLING_BACK not written: no answer within 3000 ms',
      'audit log not read: down',
      'ROLLED_BACK not written: no answer within 3000 ms',
    ]);
    expect(clock.monotonicMs()).toBeLessThan(8000);
  });

  it('does not call it rolled back when nobody knows what was injected', async () => {
    const { run, dependencies } = world([], reverted);
    dependencies.audit.read = () => Promise.reject(new Error('down'));
    expect(await run()).toMatchObject({ outcome: 'ROLLBACK_FAILED', nodes: [] });
  });

  it('ends what runs in FIS beside the hosts, after the lease is released, and counts the later end', async () => {
    const { run, acts } = world([injecting, inService], reverted);
    expect(await run(targets, true)).toMatchObject({
      outcome: 'ROLLED_BACK',
      rolledBackAt: stopped.endedAt,
      nodes: [{ node: 'n3', outcome: 'REVERTED' }],
      services: [stopped],
    });
    expect(acts).toEqual(['release TTL', 'ROLLING_BACK', 'revert exp.1 i-3', 'stop FIS exp', 'ROLLED_BACK']);
  });

  it('fails when FIS could not be ended, however clean the hosts are', async () => {
    const { run, dependencies, written } = world([injecting, inService], reverted);
    const failed: FisRollback = { ...stopped, outcome: 'FAILED', detail: 'instance i-3 is stopped' };
    dependencies.services.rollBack = async () => [failed];
    expect(await run()).toMatchObject({ outcome: 'ROLLBACK_FAILED', services: [failed] });
    expect(written.at(-1)).toMatchObject({ services: [failed] });
  });

  it('tries a host for as long as FIS may take to start it again', async () => {
    const away = Array.from({ length: 60 }, (): CommandResult => ({ status: 'Undeliverable' }));
    const { run, clock } = world([injecting, inService], ...away, reverted);
    expect(await run()).toMatchObject({ outcome: 'ROLLED_BACK' });
    expect(clock.monotonicMs()).toBeGreaterThan(60_000);
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
    const [fault] = targets.faults;
    if (!fault) throw new Error('no fault');
    const run = {
      experiment: {
        faults: [
          { faultId: 'exp.1', kind: 'PROCESS_KILL' },
          { faultId: 'exp.2', kind: 'INSTANCE_STOP' },
        ],
      },
      targets: { ...targets, faults: [fault, { ...fault, faultId: 'exp.2' }] },
    } as unknown as ExperimentRun;
    expect(plannedFaults(run)).toEqual({ targets, hasFisFaults: true });
  });

  it('gives the lease the reason that its run shows', () => {
    expect(whyRolledBack({ rollbackOnly: false }).reason).toBe('TTL');
    expect(whyRolledBack({ rollbackOnly: false, cause: { Error: 'InjectionFailed', Cause: 'x' } }).reason).toBe(
      'ROLLBACK',
    );
    expect(whyRolledBack({ rollbackOnly: true }).reason).toBe('SWEEP');
  });
});
