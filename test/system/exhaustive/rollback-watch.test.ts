import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../../lab/shared/wait-for.ts';
import { CANARY_NODES, SystemUnderTest } from '../harness.ts';

const ID = 'hurt_on_the_way_back';

/** The fault has ended and nobody may end anything any more: what customers meet then is in the verdict all the same. */
describe('a gateway that dies while the fault is rolled back', () => {
  let system: SystemUnderTest;
  let finished: Awaited<ReturnType<SystemUnderTest['waitUntilOver']>>;

  beforeAll(async () => {
    system = new SystemUnderTest();
    await system.waitUntilSteady();
    const node = await system.replicaOf(CANARY_NODES);
    const answer = await system.post({
      experimentId: ID,
      targetService: 'redis-master',
      action: 'CPU_SPIKE',
      parameters: { targetNodes: [node], cores: 1, loadPct: 10 },
      durationSeconds: 5,
      safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
    });
    expect(answer.body).toMatchObject({ status: 'INJECTED' });
    const gateway = system.lab.pids['gateway-1'];
    if (gateway === undefined) throw new Error('lab.json has no pid of gateway-1');
    await waitFor('the guard', 30, async () => {
      const { timeline } = await system.experiment(ID);
      return timeline.some(({ type }) => type === 'GUARD_STOPPED') ? undefined : `after ${timeline.at(-1)?.type}`;
    });
    process.kill(gateway, 'SIGSTOP');
    try {
      finished = await system.waitUntilOver(ID);
    } finally {
      process.kill(gateway, 'SIGCONT');
      await system.waitUntilSteady();
    }
  });
  afterAll(() => system.close());

  it('is in the log, with the moment of the first scrape that missed it', () => {
    const entry = finished.timeline.find(({ type }) => type === 'ROLLBACK_WATCHED');
    const watch = entry?.details as { from: string; until: string; breaches: object[] } | undefined;
    expect(watch).toMatchObject({
      breaches: expect.arrayContaining([
        expect.objectContaining({ guardrail: 'liveGateways', value: 1, firstAt: expect.any(String) }),
      ]),
    });
    const stoppedAt = finished.timeline.find(({ type }) => type === 'GUARD_STOPPED')?.at ?? '';
    expect(Date.parse(watch?.from ?? '')).toBeLessThanOrEqual(Date.parse(stoppedAt));
    const recoveredAt = finished.timeline.find(({ type }) => type === 'RECOVERY_VERIFIED')?.at ?? '';
    expect(Date.parse(watch?.until ?? '')).toBeGreaterThan(Date.parse(recoveredAt));
  });

  it('makes a run that kept every budget a deviation, and delays no rollback', () => {
    expect(finished.status).toBe('COMPLETED');
    expect(finished.outcome).toBe('DEVIATED');
    expect(finished.reason).toMatch(/^during the rollback, .*liveGateways: 1 gateways is below 2 gateways/);
    const typeOrder = finished.timeline.map(({ type }) => type);
    expect(typeOrder.indexOf('ROLLBACK_WATCHED')).toBeGreaterThan(typeOrder.indexOf('RECOVERY_VERIFIED'));
  });
});
