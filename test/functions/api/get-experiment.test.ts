import { describe, expect, it } from 'vitest';
import { getExperiment, getExperimentStatus } from '../../../functions/api/get-experiment.ts';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { experimentOf, faultWith, fisFault, planOf, seedExperiment } from '../domain/experiment-fixtures.ts';
import { fullRun, type Given, iso, logOf, nodeAnswer, remarks, rolledBack, runUntil } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { roleIn, targetNode } from '../domain/target-fixtures.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const ID = 'exp_chaos_redis_019';
const dependencies = (entries: AuditEntry[]) => ({
  audit: memoryAuditLog({ entries }),
  leases: { read: async () => undefined },
  clock: new SimulatedClock(),
});
/** The document as it goes over the wire. */
const documentOf = async (entries: AuditEntry[], experimentId = entries[0]?.experimentId ?? '') => {
  const { status, body } = await getExperiment(experimentId, dependencies(entries));
  return { status, body: JSON.parse(JSON.stringify(body)) };
};

describe('reading an experiment', () => {
  it('tells everything in the order of the log and that the log is unbroken', async () => {
    const entries = fullRun();
    const { status, body } = await documentOf(entries);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      chainVerified: true,
      record: [{ fault_type: 'NETWORK_PARTITION' }],
      probes: [{ shard: 'shard-1', rtoSeconds: 6.5, unavailableSeconds: 6.5 }],
      baselines: { 'redis-master': { liveGateways: 2 } },
    });
    expect(body.timeline.map(({ sequence }: { sequence: number }) => sequence)).toEqual(
      entries.map((_, index) => index + 1),
    );
    const summaryOf = (type: string) => body.timeline.find((row: { type: string }) => row.type === type)?.summary;
    expect(summaryOf('INJECTING')).toContain('NETWORK_PARTITION on redis-node-3');
    expect(summaryOf('GUARD_STOPPED')).toBe(`guard stopped: held until ${iso(63)}`);
  });

  it("calls the common end of the faults by the mission's name, and by no other", async () => {
    const { body } = await documentOf(runUntil('INJECTED'));
    expect(body).toMatchObject({ injectedAt: iso(3), rollbackScheduledAt: iso(63), injectedFaults: [`${ID}.1`] });
    expect(body).not.toHaveProperty('endsAt');
    expect((await documentOf(runUntil('INJECTING'))).body).not.toHaveProperty('rollbackScheduledAt');
  });

  it('shows shard and role of a node that has a part in one shard, and all roles of every node', async () => {
    const roles = [roleIn('shard-1', 'master'), roleIn('shard-2')];
    const [one, several] = [targetNode(3, { roles: roles.slice(0, 1) }), targetNode(4, { roles })];
    const faults = [{ faultId: `${ID}.1`, impacted: [one, several], peers: [], shardMembers: [one] }];
    const { body } = await documentOf(fullRun({ TARGETS_RESOLVED: { targets: { faults, exemptAddresses: {} } } }));
    const shown = { name: 'redis-node-3', roles: roles.slice(0, 1), shard: 'shard-1', role: 'master' };
    expect(body.targets).toMatchObject([{ impacted: [shown, { name: 'redis-node-4', roles }], shardMembers: [shown] }]);
    for (const field of ['shard', 'role']) expect(body.targets[0].impacted[1]).not.toHaveProperty(field);
  });

  it('says in its timeline what the request chose a node by', async () => {
    const experiment = seedExperiment();
    const selector = { role: 'master', of: 'shard-1' };
    const chosenBy = [{ field: 'targetPartitionGroupB', selector, nodes: ['redis-node-3'] }];
    const faults = experiment.faults.map((fault) => ({ ...fault, chosenBy }));
    const { body } = await documentOf(fullRun({ ADMITTED: { experiment: { ...experiment, faults } } }));
    expect(body.experiment.faults).toMatchObject([{ chosenBy }]);
    expect(body.timeline.find(({ type }: { type: string }) => type === 'TARGETS_RESOLVED').summary).toBe(
      'redis-node-3 (master of shard-1, as asked for)',
    );
  });

  it('tells which faults run in the service, how long they may at most, and what cannot be undone', async () => {
    const stop = fisFault(2, 0);
    const faults = [stop, faultWith({ kind: 'INSTANCE_REBOOT', targetNodes: ['node-3'] }, { number: 3 })];
    const started = [{ faultId: 'exp.2', fisExperimentId: 'EXP1' }];
    const bodyOf = async (...rest: Given[]) =>
      (
        await documentOf(
          logOf('exp', ['ADMITTED', { experiment: experimentOf(faults) }], ['INJECTING', planOf([stop])], ...rest),
        )
      ).body;
    expect(await bodyOf(['INJECTED', { injectedFaults: ['exp.2'], services: started }])).toMatchObject({
      services: [{ faultId: 'exp.2', kind: 'INSTANCE_STOP', fisExperimentId: 'EXP1', boundSeconds: 60 }],
      irreversible: [
        { faultId: 'exp.2', kind: 'INSTANCE_STOP', text: expect.stringContaining('in the memory of the instance') },
        { faultId: 'exp.3', kind: 'INSTANCE_REBOOT', text: expect.stringContaining('no undo') },
      ],
    });
    const ended = { faultId: 'exp.2', fisExperimentId: 'EXP1', state: 'stopped', outcome: 'REVERTED' as const };
    const repairs = ['node-3: BGSAVE begun'];
    expect(
      await bodyOf(['ROLLED_BACK', { nodes: [], services: [ended] }], ['RECOVERY_VERIFIED', { repairs }]),
    ).toMatchObject({ services: [ended], repairs });
  });

  it('shows what each host said beside the state of its fault, while it lives and after it', async () => {
    const answered = { INJECTED: { nodes: [nodeAnswer(remarks)] } };
    const seen = { ...remarks, effect: { ...remarks.effect, value: 5678 } };
    const lost = { revertReason: 'EFFECT_LOST', effectLostAt: iso(40), fence: { outcome: 'NOT_NEEDED' }, ...seen };
    const { body: running } = await documentOf(runUntil('INJECTED', answered));
    expect(running).toMatchObject({ answers: [remarks], nodes: [{ podName: 'redis-node-3' }] });
    const { body: ended } = await documentOf(fullRun({ ...answered, ROLLED_BACK: rolledBack(lost) }));
    expect(ended).toMatchObject({ answers: [remarks], nodes: [lost] });
    const { body: failed } = await documentOf(
      runUntil('INJECTION_FAILED', { INJECTION_FAILED: {}, INJECTED: undefined }),
    );
    expect(failed).toMatchObject({ answers: [{ status: 'DEADLINE' }] });
    expect((await documentOf(runUntil('INJECTING'))).body.answers).toEqual([]);
  });

  it('shows where a log was changed', async () => {
    const forged = fullRun().map((entry) =>
      entry.type === 'PROBE_READY' ? { ...entry, details: { ...entry.details, shard: 'another' } } : entry,
    );
    const { sequence } = forged.find(({ type }) => type === 'PROBE_READY') ?? {};
    expect((await documentOf(forged)).body).toMatchObject({ chainVerified: false, chainBrokenAtSequence: sequence });
  });

  it('finds neither what does not exist nor a refusal', async () => {
    expect((await documentOf([], 'x')).status).toBe(404);
    const refused = logOf('REFUSAL#1', ['REFUSED']);
    expect((await documentOf(refused)).status).toBe(404);
    expect((await getExperimentStatus('REFUSAL#1', dependencies(refused))).status).toBe(404);
  });
});
