import { describe, expect, it } from 'vitest';
import { getExperiment, getExperimentStatus } from '../../../functions/api/get-experiment.ts';
import { listExperiments } from '../../../functions/api/list-experiments.ts';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { recordsOf } from '../../../functions/domain/records.ts';
import { fakeClock, fullRun, logOf } from '../domain/fixtures.ts';
import { experimentOf, fisFault } from '../inject/fixtures.ts';

const dependencies = (entries: AuditEntry[]) => ({
  audit: { read: async () => entries },
  leases: { read: async () => undefined },
  clock: fakeClock(),
});

describe('reading an experiment', () => {
  it('tells everything in the order of the log and that the log is unbroken', async () => {
    const { status, body } = await getExperiment('exp_chaos_redis_019', dependencies(fullRun()));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      chainVerified: true,
      record: [{ fault_type: 'NETWORK_PARTITION' }],
      probe: { rtoSeconds: 6.5 },
      baselines: { 'redis-master': { liveGateways: 2 } },
    });
    const { timeline } = body as { timeline: { sequence: number; summary: string }[] };
    expect(timeline.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(timeline[2]?.summary).toContain('NETWORK_PARTITION on redis-node-3');
    expect(timeline[4]?.summary).toBe('guard stopped: held');
  });

  it('tells which faults run in the service, how long they may at most, and what cannot be undone', async () => {
    const reboot = { kind: 'INSTANCE_REBOOT' as const, targetNodes: ['node-3'] };
    const faults = [fisFault(2, 0), { ...fisFault(3, 0), kind: reboot.kind, parameters: reboot }];
    const announced = [{ faultId: 'exp.2', kind: 'INSTANCE_STOP', action: { boundSeconds: 60 } }];
    const started = [{ faultId: 'exp.2', fisExperimentId: 'EXP1' }];
    const log = (...rest: Parameters<typeof logOf>[1][]) =>
      logOf('exp', ['ADMITTED', { experiment: experimentOf(faults) }], ['INJECTING', { services: announced }], ...rest);
    const bodyOf = async (entries: AuditEntry[]) => (await getExperiment('exp', dependencies(entries))).body;
    expect(await bodyOf(log(['INJECTED', { injectedFaults: ['exp.2'], services: started }]))).toMatchObject({
      services: [{ faultId: 'exp.2', kind: 'INSTANCE_STOP', fisExperimentId: 'EXP1', boundSeconds: 60 }],
      irreversible: [
        { faultId: 'exp.2', kind: 'INSTANCE_STOP', text: expect.stringContaining('in the memory of the instance') },
        { faultId: 'exp.3', kind: 'INSTANCE_REBOOT', text: expect.stringContaining('no undo') },
      ],
    });
    const ended = { faultId: 'exp.2', fisExperimentId: 'EXP1', state: 'stopped', outcome: 'REVERTED' };
    const repairs = ['node-3: BGSAVE begun'];
    expect(
      await bodyOf(
        log(['ROLLED_BACK', { nodes: [], services: [ended] }], ['RECOVERY_VERIFIED', { problems: [], repairs }]),
      ),
    ).toMatchObject({ services: [ended], repairs });
  });

  it('shows where a log was changed', async () => {
    const forged = fullRun().map((entry) =>
      entry.sequence === 3 ? { ...entry, details: { faults: ['other'] } } : entry,
    );
    const { body } = await getExperiment('exp_chaos_redis_019', dependencies(forged));
    expect(body).toMatchObject({ chainVerified: false, chainBrokenAtSequence: 3 });
  });

  it('finds neither what does not exist nor a refusal', async () => {
    expect((await getExperiment('x', dependencies([]))).status).toBe(404);
    const refused = logOf('REFUSAL#1', ['REFUSED', {}]);
    expect((await getExperimentStatus('REFUSAL#1', dependencies(refused))).status).toBe(404);
  });
});

describe('listing experiments', () => {
  const [row] = recordsOf('exp_chaos_redis_019', fullRun());
  if (!row) throw new Error('no record');

  it('answers by cluster and fault, newest first', async () => {
    const rows = ['2026-01-01', '2026-03-01', '2026-02-01'].map((injected_at) => ({ ...row, injected_at }));
    const asked: unknown[] = [];
    const answer = await listExperiments({ cluster: 'c', fault: 'PROCESS_KILL' }, async (...args) => {
      asked.push(args);
      return rows;
    });
    expect(asked).toEqual([['c', 'PROCESS_KILL']]);
    expect((answer.body as { experiments: { injected_at: string }[] }).experiments.map((r) => r.injected_at)).toEqual([
      '2026-03-01',
      '2026-02-01',
      '2026-01-01',
    ]);
  });

  it.each([
    [{}, 'cluster'],
    [{ fault: 'PROCESS_KILL' }, 'cluster'],
    [{ cluster: 'c', fault: 'kill' }, 'fault'],
  ])('refuses %j and names %s', async (query, field) => {
    const answer = await listExperiments(query, async () => []);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });
});
