import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CANARY_NODES, SystemUnderTest } from '../harness.ts';

describe('a probe whose event is delivered twice', () => {
  let system: SystemUnderTest;
  beforeAll(async () => {
    system = new SystemUnderTest();
    await system.waitUntilSteady();
  });
  afterEach(() => system.control('POST', '/lambda/twice', { twice: false }));
  afterAll(() => system.close());

  it('confirms only what one invocation alone has measured: the other one keeps away, or nothing counts', async () => {
    const replica = await system.replicaOf(CANARY_NODES);
    await system.control('POST', '/lambda/twice', { twice: true });
    const answer = await system.post({
      experimentId: 'probed_twice',
      targetService: 'redis-master',
      action: 'CPU_SPIKE',
      parameters: { targetNodes: [replica], cores: 1, loadPct: 10 },
      durationSeconds: 5,
      safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
    });
    expect(answer.body).toMatchObject({ status: 'INJECTED' });
    const processes = (await system.control('GET', '/processes')) as { function: string }[];
    expect(processes.filter((each) => each.function.includes('Probe')).length).toBeGreaterThan(1);
    const { outcome, reason, timeline } = await system.waitUntilOver('probed_twice', 150);
    const invocations = new Set(
      timeline.flatMap(({ type, details }) =>
        type === 'PROBE_READY' || type === 'PROBE_MEASURED' ? [(details as { invocation: string }).invocation] : [],
      ),
    );
    if (invocations.size === 1) expect(outcome, reason ?? '').toBe('CONFIRMED');
    else {
      expect(outcome).toBe('INCONCLUSIVE');
      expect(reason).toMatch(/measured by 2 invocations of the probe at once/);
    }
  });
});
