import { describe, expect, it } from 'vitest';
import type { Check } from '../../../functions/domain/hypothesis.ts';
import { readChecks } from '../../../functions/telemetry/check-readings.ts';
import type { Telemetry } from '../../../functions/telemetry/prometheus.ts';
import { checkOf, hypothesisOf, WRITE_LATENCY } from '../domain/hypothesis-fixtures.ts';
import { fakeTelemetry, type Values } from '../guard/fake-telemetry.ts';
import { named } from '../guard/fixtures.ts';

const LAG_QUERY = 'max(lag_ms)';
const ALERT = checkOf({
  ...{ name: 'alert', measure: { kind: 'ALERT', alert: 'Failover' }, tolerance: { atLeast: 1, unit: 'alerts' } },
  ...{ when: 'HAPPENS', withinSeconds: 15 },
});
interface Seen {
  values?: Values;
  /** Samples of the baseline; absent: as `values` has it, all the same. */
  past?: number[];
  ageSeconds?: number;
  alertProblem?: string;
}
function read(check: Check, { values = { [LAG_QUERY]: 20 }, past, ageSeconds = 0.2, alertProblem }: Seen = {}) {
  const telemetry: Telemetry = {
    ...fakeTelemetry(values, { ageSeconds }),
    ...(past ? { range: async () => past } : {}),
    alertProblem: async () => alertProblem,
  };
  return readChecks(telemetry, named, hypothesisOf(check));
}
const minuteOf = (...values: number[]) => [...Array<number>(30).fill(20), ...values];

describe('a check before the fault', () => {
  it.each(['BEFORE', 'THROUGHOUT', 'STEADY'] as const)(
    'that must hold %s has to hold over the whole baseline',
    async (when) => {
      const check = checkOf({ when });
      expect(await read(check)).toEqual([{ check: 'lag', value: 20, held: true }]);
      expect(await read(check, { past: minuteOf(140, 20) })).toEqual([
        {
          ...{ check: 'lag', value: 140, held: false },
          reason: 'was 140 ms in the 60 s before, it must be at most 100 ms',
        },
      ]);
    },
  );

  it('that must hold later may be out, and must be readable', async () => {
    const check = checkOf({ when: 'AFTER_FAULT', withinSeconds: 5 });
    expect(await read(check, { values: { [LAG_QUERY]: 900 } })).toEqual([{ check: 'lag', value: 900, held: true }]);
    expect(await read(check, { ageSeconds: 20 })).toMatchObject([
      { held: false, reason: 'could not be read: newest sample is 20.0 s old, at most 3 s' },
    ]);
  });

  it('does not hold when its control says that it could never be out', async () => {
    const [reading] = await read(checkOf(), { values: { [LAG_QUERY]: 20, 'count(lag_ms)': 0 } });
    expect(reading).toMatchObject({ held: false, reason: /its control is 0, it must be more than 0/ });
    expect(reading).not.toHaveProperty('value');
  });

  it('does not hold when there are too few samples to speak of a steady state', async () => {
    expect(await read(checkOf(), { past: [20, 20] })).toMatchObject([{ held: false, reason: /2 samples in 60 s/ }]);
  });

  it('of an alert does not hold when that alert could not fire', async () => {
    expect(await read(ALERT)).toMatchObject([{ held: true, value: 0 }]);
    const alertProblem = 'Prometheus has no alerting rule Failover';
    expect(await read(ALERT, { alertProblem })).toMatchObject([{ held: false, reason: /no alerting rule/ }]);
  });

  it('of the probe, or of another cluster, is not asked of this Prometheus', async () => {
    expect(await read(checkOf({ measure: WRITE_LATENCY }))).toEqual([]);
    expect(await read(checkOf({ cluster: 'other' }))).toEqual([]);
  });
});
