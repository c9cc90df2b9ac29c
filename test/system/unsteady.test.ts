import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANARY_NODES, partition, SystemUnderTest } from './harness.ts';

interface Problem {
  type: string;
  detail: string;
}

const SERVED = {
  ...{ kind: 'PROMQL', query: 'sum(rate(http_requests_total[5s]))', freshness: 'http_requests_total' },
  control: 'count(http_requests_total)',
};
const check = (changes: object) => ({
  ...{ name: 'the check', measure: SERVED, tolerance: { atLeast: 1, unit: 'requests/s' }, when: 'BEFORE' },
  ...changes,
});

describe('an experiment whose steady state is not there', () => {
  let system: SystemUnderTest;
  beforeAll(async () => {
    system = new SystemUnderTest();
    await system.waitUntilSteady();
  });
  afterAll(() => system.close());

  async function stating(experimentId: string, ...checks: object[]) {
    const replica = await system.replicaOf(CANARY_NODES);
    const payload = partition(experimentId, replica, CANARY_NODES, 20);
    return { ...payload, hypothesis: { statement: 'as before', checks } };
  }

  it.each<[what: string, changes: object, type: string, detail: RegExp]>([
    [
      'a measure that is out of its tolerance',
      { tolerance: { atLeast: 1_000_000, unit: 'requests/s' } },
      ...(['steady-state-not-met', /^not started: the check: was [\d.]+ requests\/s in the 60 s before/] as const),
    ],
    [
      'a measure that could never be out',
      { measure: { ...SERVED, control: 'count(nothing_of_that_name)' } },
      ...(['telemetry-unavailable', /could never be out of its tolerance/] as const),
    ],
    [
      'an alert that nobody would raise',
      {
        ...{ measure: { kind: 'ALERT', alert: 'NoSuchAlert' }, tolerance: { atLeast: 1, unit: 'alerts' } },
        ...{ when: 'HAPPENS', withinSeconds: 10 },
      },
      ...(['telemetry-unavailable', /Prometheus has no alerting rule NoSuchAlert/] as const),
    ],
    [
      'a measure that its store does not have',
      {
        measure: { kind: 'PROBE', name: 'consumerLagMs', quantile: 0.99 },
        tolerance: { atMost: 100, unit: 'ms' },
      },
      ...(['invalid-request', /hypothesis\.checks\.0\.measure\.name/] as const),
    ],
  ])('is refused with its number for %s, before anything is taken', async (_what, changes, type, detail) => {
    const answer = await system.post(await stating('unsteady', check(changes)));
    const problem = answer.body as Problem;
    expect(problem.type, JSON.stringify(problem)).toBe(`urn:holdfast:problem:${type}`);
    expect(problem.detail).toMatch(detail);
  });

  it('is ended before the fault, as refused, when only the probe can know it', async () => {
    const experimentId = 'unsteady_probe';
    const payload = await stating(experimentId, check({}));
    const replicas = {
      ...{ name: 'replicas', measure: { kind: 'ENGINE', name: 'onlineReplicas' } },
      tolerance: { atLeast: 3, unit: 'replicas' },
    };
    const answer = await system.post({ ...payload, steadyState: { baselineSeconds: 15, measures: [replicas] } });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    const { status, outcome, reason, timeline } = await system.waitUntilOver(experimentId);
    expect([status, outcome]).toEqual(['REFUSED', 'INCONCLUSIVE']);
    expect(reason).toMatch(/SteadyStateNotMet: replicas on shard-1 of redis-master: is 2 replicas, .* at least 3/);
    expect(timeline.map(({ type }) => type)).not.toContain('INJECTING');
  });
});
