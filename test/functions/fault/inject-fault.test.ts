import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/audit/entry.ts';
import { ErrorName, WorkflowError } from '../../../functions/experiment/errors.ts';
import type { Experiment } from '../../../functions/experiment/experiment.ts';
import type { ResolvedTargets, TargetNode } from '../../../functions/experiment/workflow.ts';
import { grantFor } from '../../../functions/fault/grant.ts';
import { injectFault } from '../../../functions/fault/inject-fault.ts';
import { nodeCommands } from '../../../functions/fault/node-command.ts';
import type { CommandResult } from '../../../functions/fault/ssm.ts';
import type { Lease } from '../../../functions/guard/lease.ts';
import { cluster } from '../guard/fixtures.ts';
import { SimulatedClock } from '../guard/simulated-clock.ts';

const node = (number: number): TargetNode => ({
  name: `redis-node-${number}`,
  instanceId: `i-${number}`,
  addresses: [`10.77.0.1${number}`, `10.78.0.1${number}`],
  shard: 'shard-1',
  role: number === 3 ? 'master' : 'replica',
});
const targets: ResolvedTargets = {
  faults: [
    { faultId: 'exp.1', impacted: [node(3)], peers: [node(1), node(2)], shardMembers: [node(1), node(2), node(3)] },
  ],
  exemptAddresses: ['10.77.0.3'],
};
const experiment: Experiment = {
  experimentId: 'exp',
  durationSeconds: 60,
  safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
  faults: [
    {
      faultId: 'exp.1',
      kind: 'NETWORK_PARTITION',
      cluster: 'redis-master',
      impactedNodes: ['redis-node-3'],
      parameters: {
        kind: 'NETWORK_PARTITION',
        scope: 'isolate',
        packetLossPct: 100,
        groupA: ['redis-node-1', 'redis-node-2'],
        groupB: ['redis-node-3'],
      },
    },
  ],
};
const commands = nodeCommands({ experiment, targets, cluster, leaseGraceSeconds: 3 });

function world(result: CommandResult) {
  const acts: string[] = [];
  const details: Record<string, unknown>[] = [];
  const lease: Lease = { leaseId: 'exp', state: 'HOLD', beat: 2, grants: [], readings: [] };
  const clock = new SimulatedClock();
  const log = { types: ['PROBE_READY'] };
  const held = (act: string, change: Partial<Lease>) => {
    if (lease.state !== 'HOLD') throw new WorkflowError(ErrorName.LeaseReleased, 'released');
    acts.push(act);
    return Object.assign(lease, change);
  };
  const hosts = {
    async run() {
      acts.push('send');
      return result;
    },
  };
  const dependencies = {
    clock,
    hosts,
    documentPrefix: 'Holdfast-X-',
    audit: {
      async append(_id: string, type: string, _actor: unknown, said: Record<string, unknown>) {
        acts.push(type);
        details.push(said);
        return {} as never;
      },
      read: async () => log.types.map((type) => ({ type }) as AuditEntry),
    },
    leases: {
      read: async () => lease,
      grant: async (_id: string, grants: readonly string[]) => held('grant', { grants: [...grants] }),
      setHoldUntil: async (_id: string, holdUntil: string) => held('hold', { holdUntil }),
    },
  };
  return {
    acts,
    details,
    lease,
    log,
    clock,
    hosts,
    dependencies,
    run: () => injectFault('exp', 60, commands, dependencies),
  };
}

const applied: CommandResult = { status: 'Success', report: { faultId: 'exp.1', state: 'APPLIED' } };

describe('node commands', () => {
  it('cut the master of the seed example off its peers by every address, with a fence and the whole neighbourhood', () => {
    expect(commands).toHaveLength(1);
    expect(commands[0]?.parameters).toEqual({
      experimentId: 'exp',
      faultId: 'exp.1',
      ttlSeconds: '60',
      leaseGraceSeconds: '3',
      engine: 'redis',
      unit: 'redis-server',
      storePorts: '6379,26379',
      exemptAddresses: '10.77.0.3',
      fence: 'redis',
      fenceMasterName: 'shard-1',
      fenceSentinels: '10.77.0.11:26379,10.77.0.12:26379,10.77.0.13:26379',
      fenceCredentialsFile: '',
      peerAddresses: '10.77.0.11,10.78.0.11,10.77.0.12,10.78.0.12',
      scope: 'isolate',
      packetLossPct: '100',
    });
    expect(commands[0]?.undo).not.toEqual([]);
  });

  it.each([
    ['supervisor', /^none: .* only checks/],
    ['rollback', /^start the unit/],
  ] as const)('promise for a kill with restart=%s only what the way back does', (restart, undo) => {
    const [partition] = experiment.faults;
    if (!partition) throw new Error('the experiment has no fault');
    const parameters = { kind: 'PROCESS_KILL', signal: 'KILL', restart } as const;
    const killing = { ...experiment, faults: [{ ...partition, kind: parameters.kind, parameters }] };
    const [command] = nodeCommands({ experiment: killing, targets, cluster, leaseGraceSeconds: 3 });
    expect(command?.undo).toEqual([expect.stringMatching(undo)]);
  });

  it('refuse to be made for a fault without resolved targets', () => {
    const unresolved = { faults: [], exemptAddresses: [] };
    const context = { experiment, targets: unresolved, cluster, leaseGraceSeconds: 3 };
    expect(() => nodeCommands(context)).toThrow(/no resolved targets/);
  });
});

describe('inject fault', () => {
  it('records, grants exactly these parameters, sends, holds, and only then says INJECTED', async () => {
    const { run, acts, lease, details } = world(applied);
    const injection = await run();
    expect(acts).toEqual(['INJECTING', 'grant', 'send', 'hold', 'INJECTED']);
    expect(lease.grants).toEqual([grantFor('i-3', commands[0]?.parameters ?? {})]);
    expect(Date.parse(injection.rollbackScheduledAt) - Date.parse(injection.injectedAt)).toBe(60_000);
    expect(details[0]).toMatchObject({
      commands: [{ node: 'redis-node-3', undo: [expect.any(String), expect.any(String)] }],
    });
  });

  it('sends nothing while nobody watches', async () => {
    const { run, acts, lease } = world(applied);
    lease.beat = 1;
    await expect(run()).rejects.toMatchObject({ name: 'InjectionFailed', message: /nobody watches/ });
    expect(acts).toEqual([]);
  });

  it('sends nothing while nobody measures', async () => {
    const { run, acts, log, clock } = world(applied);
    log.types = [];
    await expect(run()).rejects.toMatchObject({ name: 'InjectionFailed', message: /nobody measures/ });
    expect(acts).toEqual([]);
    expect(clock.monotonicMs()).toBe(8000);
  });

  it('sends nothing under a released lease', async () => {
    const { run, acts, lease } = world(applied);
    lease.state = 'RELEASED';
    await expect(run()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(acts).toEqual([]);
  });

  it('sends nothing when the announcement cannot be written', async () => {
    const { run, acts, dependencies } = world(applied);
    dependencies.audit.append = () => Promise.reject(new Error('down'));
    await expect(run()).rejects.toThrow('down');
    expect(acts).toEqual([]);
  });

  it.each<[string, CommandResult]>([
    ['the host refuses', { status: 'Failed', report: { faultId: 'exp.1', state: 'REFUSED', reason: 'no tc' } }],
    ['the command times out', { status: 'DEADLINE' }],
    ['the host answers nothing readable', { status: 'Success' }],
    ['the host speaks of another fault', { status: 'Success', report: { faultId: 'other.1', state: 'APPLIED' } }],
  ])('fails, so that it is rolled back, when %s', async (_what, result) => {
    const { run, acts } = world(result);
    await expect(run()).rejects.toMatchObject({ name: 'InjectionFailed' });
    expect(acts).toEqual(['INJECTING', 'grant', 'send', 'INJECTION_FAILED']);
  });

  it('does not call it injected when the lease went while the hosts answered', async () => {
    const { run, acts, hosts, lease } = world(applied);
    hosts.run = async () => {
      lease.state = 'RELEASED';
      return applied;
    };
    await expect(run()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(acts).toEqual(['INJECTING', 'grant', 'INJECTION_FAILED']);
  });
});
