import { describe, expect, it } from 'vitest';
import { timelineRow } from '../../../functions/api/timeline.ts';
import { ENTRY_TYPES } from '../../../functions/domain/audit-schemas.ts';
import type { Fault } from '../../../functions/domain/experiment.ts';
import { fisFault, planOf } from '../domain/experiment-fixtures.ts';
import { entry, iso, nodeAnswer, reading, remarks, rolledBack } from '../domain/fixtures.ts';

const summaryOf = (of: ReturnType<typeof entry>, faults: Fault[] = []) => timelineRow(of, faults).summary;

describe('the timeline', () => {
  it('names fault, node and recorded undo of an injection', () => {
    expect(summaryOf(entry('INJECTING'))).toMatch(
      /^NETWORK_PARTITION on redis-node-3; undo recorded: let packets .* pass again, let clients reach the store ports again, all of it behind the fence/,
    );
  });

  it('names the action of a fault in the service, its end, and what was never injected', () => {
    expect(summaryOf(entry('INJECTING', planOf([fisFault(3, 0)])))).toBe(
      'INSTANCE_STOP on node-3 by aws:ec2:stop-instances; undo recorded: start',
    );
    const ended = { faultId: 'e.2', fisExperimentId: 'EXP2', state: 'stopped', outcome: 'REVERTED' as const };
    const endedAt = '2026-01-01T00:00:00Z';
    expect(summaryOf(entry('ROLLED_BACK', { nodes: [], services: [{ ...ended, endedAt }] }))).toBe(
      'e.2 REVERTED (stopped in the service), ended at 2026-01-01T00:00:00Z',
    );
    const gone = { ...ended, state: 'completed', detail: 'its instances are gone for good' };
    expect(summaryOf(entry('ROLLED_BACK', { nodes: [], services: [gone] }))).toBe(
      'e.2 REVERTED (completed in the service): its instances are gone for good',
    );
    expect(summaryOf(entry('INJECTION_SKIPPED', { faults: ['e.3'], reason: 'too late' }))).toBe(
      'not injected: e.3: too late',
    );
    expect(summaryOf(entry('ROLLBACK_WATCHED'))).toBe('every guardrail held until the store was healthy');
    const breach = { ...reading('errorRatePct', { reason: '3 % is above 0.5 %' }), firstAt: iso(64), lastAt: iso(65) };
    expect(
      summaryOf(entry('ROLLBACK_WATCHED', { breaches: [breach], unseen: ['redis-master requestRate: 1 of 9 s'] })),
    ).toBe('redis-master errorRatePct: 3 % is above 0.5 %; not seen: redis-master requestRate: 1 of 9 s');
    expect(summaryOf(entry('RECOVERY_VERIFIED', { repairs: ['n3: BGSAVE begun'] }))).toMatch(
      /healthy.*; n3: BGSAVE begun/,
    );
  });

  it('tells what a host saw of the fault when it came and when it ended, and when that was gone too early', () => {
    const offset = { ...remarks.effect, measure: 'clock offset', value: 400, unit: 'ms' };
    expect(summaryOf(entry('INJECTED', { nodes: [nodeAnswer({ effect: offset }), nodeAnswer()] }))).toBe(
      `armed, lease held, applied; rollback scheduled at ${iso(63)}; redis-node-3: clock offset: 400 ms`,
    );
    const lost = { revertReason: 'EFFECT_LOST', effectLostAt: iso(40), liftedAt: iso(41), effect: remarks.effect };
    expect(summaryOf(entry('ROLLED_BACK', rolledBack(lost)))).toBe(
      `redis-node-3 REVERTED (EFFECT_LOST), packets through the fault: 1234 packets, effect gone at ${iso(40)}, ` +
        `lifted at ${iso(41)}, nothing left behind`,
    );
  });

  it.each([
    ['NONE', ''],
    ['NOT_NEEDED', ', clients not kept away: its role was never in doubt'],
    ['SETTLED', ', fence SETTLED'],
    ['HANDED_OVER', ', fence HANDED_OVER'],
  ])('says in words how a fence ended that was %s', (outcome, text) => {
    expect(summaryOf(entry('ROLLED_BACK', rolledBack({ fence: { outcome } })))).toBe(
      `redis-node-3 REVERTED (TTL), lifted at ${iso(62.9)}${text}, nothing left behind`,
    );
  });

  it('names the roles of a node in every shard it has a part in', () => {
    const [resolved] = entry('TARGETS_RESOLVED').details.targets.faults;
    const [node] = resolved?.impacted ?? [];
    if (!resolved || !node) throw new Error('no node');
    const roles = [...node.roles, { shard: 'shard-2', role: 'replica' }];
    const targets = { faults: [{ ...resolved, impacted: [{ ...node, roles }] }], exemptAddresses: {} };
    expect(summaryOf(entry('TARGETS_RESOLVED', { targets }))).toBe(
      'redis-node-3 (master of shard-1; replica of shard-2)',
    );
    expect(summaryOf(entry('TARGETS_RESOLVED'))).toBe('redis-node-3 is master of shard-1 now');
  });

  it('says of a node what its fault chose it by, and nothing of what another fault did', () => {
    const { targets } = entry('TARGETS_RESOLVED').details;
    const [fault] = entry('ADMITTED').details.experiment.faults;
    const [resolved] = targets.faults;
    if (!fault || !resolved) throw new Error('no fault');
    const selector = { role: 'leader', of: 'orders-0' };
    const chosen = { ...fault, chosenBy: [{ field: 'targetNodes', selector, nodes: ['redis-node-3'] }] };
    expect(resolved.faultId).toBe(fault.faultId);
    expect(summaryOf(entry('TARGETS_RESOLVED'), [chosen])).toBe(
      'redis-node-3 (leader of orders-0, as asked for; master of shard-1)',
    );
    expect(summaryOf(entry('TARGETS_RESOLVED'), [{ ...chosen, faultId: 'e.9' }])).toBe(
      'redis-node-3 is master of shard-1 now',
    );
  });

  it('claims no recovery time of a probe that was never proven on the impacted nodes, nor of one that still fails', () => {
    expect(summaryOf(entry('PROBE_MEASURED', { provenOnImpacted: false }))).toMatch(
      /^shard-1 of redis-master: RTO not measured/,
    );
    expect(summaryOf(entry('PROBE_MEASURED', { stillFailing: true, rtoSeconds: undefined }))).toMatch(
      /: still failing/,
    );
    expect(summaryOf(entry('PROBE_MEASURED'))).toMatch(/RTO 6.50 s, unavailable for 6.50 s in all/);
    expect(summaryOf(entry('PROBE_MEASURED', { lostAcknowledgedWrites: undefined }))).toMatch(/unknown how many lost$/);
  });

  it('says when a shard was detected, elected, recovered and replicated, what was stale, and how quick it was', () => {
    const phase = (name: 'DETECTED' | 'FULLY_REPLICATED', secondsAfterFault: number) => ({
      ...{ phase: name, at: iso(3 + secondsAfterFault), secondsAfterFault, event: '', uncertaintyMs: 1 },
    });
    const latency = { count: 10, p50: 0.3, p90: 1, p99: 2.345, max: 3, failed: 0 };
    const line = summaryOf(
      entry('PROBE_MEASURED', {
        ...{ staleReads: 2, phases: [phase('DETECTED', 2.1), phase('FULLY_REPLICATED', 61)] },
        latency: { writeMs: { ...latency, p99: 60_000, failed: 4 }, readMs: latency },
      }),
    );
    expect(line).toMatch(
      /0 lost; 2 stale reads; detected after 2.10 s, fully replicated after 61 s; P99 of writes 60000 ms \(4 failed\), of reads 2.35 ms$/,
    );
  });

  it('says over how long lost writes were acknowledged', () => {
    const line = summaryOf(entry('PROBE_MEASURED', { lostAcknowledgedWrites: 210, lossSpanSeconds: 10.462 }));
    expect(line).toMatch(/210 lost within 10.46 s$/);
  });

  it('says of a log over how long lost records were acknowledged, and what else became of acknowledged ones', () => {
    const examples = { lost: [], duplicated: [], reordered: [], repeatedOffsets: [] };
    const records = { lossSpanSeconds: 11.9, duplicated: 2, reordered: 0, repeatedOffsets: 1, examples };
    const line = summaryOf(entry('PROBE_MEASURED', { lostAcknowledgedWrites: 597, records }));
    expect(line).toMatch(
      /597 lost within 11.90 s; 2 records duplicated; 1 records with a repeated offset, by the client library$/,
    );
  });

  it.each(ENTRY_TYPES)('has a line for %s', (type) => {
    expect(summaryOf(entry(type))).toMatch(/\S/);
  });
});
