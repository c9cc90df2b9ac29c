import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANARY_NODES, partition, SystemUnderTest } from '../harness.ts';

/** Limits so wide that a busy machine is within them: what is tested is who sees the checks, and when. */
const writes = {
  name: 'quick writes',
  measure: { kind: 'PROBE', name: 'writeLatencyMs', quantile: 0.5 },
  tolerance: { atMost: 2000, unit: 'ms' },
};
const replicas = {
  ...{ name: 'replicas', measure: { kind: 'ENGINE', name: 'onlineReplicas' } },
  tolerance: { atLeast: 2, unit: 'replicas' },
};

describe('a hypothesis about what the probe measures', () => {
  let system: SystemUnderTest;
  beforeAll(() => {
    system = new SystemUnderTest();
    return system.waitUntilSteady();
  });
  afterAll(() => system.close());

  it('is looked at before the fault, each second, and at the end, and decides the verdict', async () => {
    const master = await system.masterOf(CANARY_NODES);
    const answer = await system.post({
      ...partition('hypothesis_held', master, CANARY_NODES),
      durationSeconds: 15,
      steadyState: { baselineSeconds: 15, measures: [writes, replicas] },
      hypothesis: {
        statement: 'Sentinel promotes a replica, and nobody loses a write or reads an old one',
        checks: [
          { preset: 'NO_LOSS' },
          {
            ...{ name: 'a failover', when: 'HAPPENS', withinSeconds: 14 },
            ...{ measure: { kind: 'ENGINE', name: 'failovers' }, tolerance: { atLeast: 1, unit: 'failovers' } },
          },
          {
            ...{ name: 'no old data', when: 'THROUGHOUT' },
            ...{ measure: { kind: 'PROBE', name: 'staleReads' }, tolerance: { atMost: 0, unit: 'reads' } },
          },
          {
            ...{ name: 'slow at first', measure: writes.measure, when: 'AFTER_ROLLBACK', withinSeconds: 20 },
            tolerance: { atMost: 2000, unit: 'ms' },
          },
        ],
      },
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    const { outcome, reason, timeline } = await system.waitUntilOver('hypothesis_held', 150);
    const of = (type: string) => timeline.filter((entry) => entry.type === type);
    const [ready] = of('PROBE_READY');
    expect(ready?.details).toMatchObject({
      checks: [
        { check: 'quick writes', held: true },
        { check: 'replicas', value: 2, held: true },
      ],
    });
    const changes = of('CHECK_CHANGED').map(({ details }) => details as { check: string; state: string });
    expect(changes).toContainEqual(expect.objectContaining({ check: 'a failover', state: 'FAILS', value: 0 }));
    expect(changes).toContainEqual(expect.objectContaining({ check: 'a failover', state: 'HOLDS', value: 1 }));
    const probed = of('CHECKS_OBSERVED').filter(({ details }) => 'probed' in (details as object));
    expect(probed).toHaveLength(1);
    expect(outcome, reason ?? '').toBe('CONFIRMED');
    const concluded = of('CONCLUDED')[0]?.details as { checks: { name: string; result: string }[] };
    expect(concluded.checks.map(({ name, result }) => [name, result])).toEqual(
      ['quick writes', 'replicas', 'NO_LOSS', 'a failover', 'no old data', 'slow at first'].map((name) => [
        name,
        'HELD',
      ]),
    );
  });
});
