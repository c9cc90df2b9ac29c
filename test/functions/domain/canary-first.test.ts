import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CanaryRun, whyNotConfirmed } from '../../../functions/domain/canary-first.ts';
import { EXPERIMENT_OUTCOMES, EXPERIMENT_STATUSES } from '../../../functions/domain/experiment.ts';
import { configuration } from './configuration-fixtures.ts';

const RULE = { cluster: 'canary', withinDays: 14 };
const runOf = (outcome?: CanaryRun['outcome'], change: Partial<CanaryRun> = {}): CanaryRun => ({
  ...{ experimentId: `run_${outcome}`, status: 'COMPLETED' },
  ...(outcome ? { outcome } : {}),
  ...change,
});
const why = (...runs: CanaryRun[]) => whyNotConfirmed('PROCESS_KILL', RULE, runs);

describe('a kind that has to be confirmed on a canary first', () => {
  it('is not, without a run there', () => {
    expect(why()).toBe('PROCESS_KILL was not confirmed on canary in the last 14 days');
  });

  it('is, by the newest run that says anything, and by no older one', () => {
    expect(why(runOf('CONFIRMED'), runOf('DEVIATED'))).toBeUndefined();
    expect(why(runOf('DEVIATED'), runOf('CONFIRMED'))).toMatch(/run_DEVIATED, ended COMPLETED, DEVIATED$/);
  });

  it('is, whatever said nothing since', () => {
    const nothing = [runOf('INCONCLUSIVE'), runOf(undefined, { status: 'RUNNING' }), runOf(undefined)];
    expect(why(...nothing, runOf('CONFIRMED'))).toBeUndefined();
    expect(why(...nothing)).toMatch(/, and none of its 3 runs there says anything$/);
  });

  it('is not by a run that was confirmed and could not be rolled back', () => {
    expect(why(runOf('CONFIRMED', { status: 'ROLLBACK_FAILED' }), runOf('CONFIRMED'))).toMatch(/ROLLBACK_FAILED/);
  });

  it('is never confirmed by runs of which none completed and was confirmed', () => {
    const run = fc.record({
      experimentId: fc.constant('run'),
      status: fc.constantFrom(...EXPERIMENT_STATUSES),
      outcome: fc.constantFrom(...EXPERIMENT_OUTCOMES),
    });
    fc.assert(
      fc.property(fc.array(run), (runs) => {
        const anyGood = runs.some(({ status, outcome }) => status === 'COMPLETED' && outcome === 'CONFIRMED');
        if (!anyGood) expect(why(...runs)).toBeDefined();
      }),
    );
  });
});

describe('the canary of a cluster', () => {
  const canaryFirst = { cluster: 'canary' };
  const withCanary = (canary: Record<string, unknown>, name = 'canary') =>
    configuration({ canaryFirst: { cluster: name } }, { canary });

  it('is another cluster of this configuration, of the same engine', () => {
    expect(withCanary({}).clusters['redis-master']?.canaryFirst).toEqual({ cluster: 'canary', withinDays: 14 });
    expect(() => withCanary({}, 'elsewhere')).toThrow(/redis-master\.canaryFirst\.cluster: elsewhere is no cluster/);
    expect(() => withCanary({}, 'redis-master')).toThrow(/canaryFirst\.cluster: is the cluster itself/);
    const telemetry = { prometheusUrl: 'http://p.example', trafficShareQuery: 'a{b="{{node}}"}' };
    const kafka = { engine: 'kafka', tier: 'staging', kafka: {}, telemetry };
    expect(() => withCanary(kafka)).toThrow(/canaryFirst\.cluster: canary runs kafka, and redis-master redis/);
  });

  it('does not wait for the cluster that waits for it: nothing could ever run on either', () => {
    expect(() => configuration({ canaryFirst }, { canary: { canaryFirst: { cluster: 'redis-master' } } })).toThrow(
      /canaryFirst\.cluster: canary waits for redis-master itself/,
    );
  });
});
