import { describe, expect, it } from 'vitest';
import type { RawReading } from '../../../functions/domain/guardrails.ts';
import type { Check } from '../../../functions/domain/hypothesis.ts';
import { readChecks } from '../../../functions/telemetry/check-readings.ts';
import type { Telemetry } from '../../../functions/telemetry/prometheus.ts';
import { checkOf, expectedAlert, hypothesisOf, WRITE_LATENCY } from '../domain/hypothesis-fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
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
  past?: (number | null)[];
  ageSeconds?: number;
  alertProblem?: string;
}
function read(check: Check, { values = { [LAG_QUERY]: 20 }, past, ageSeconds = 0.2, alertProblem }: Seen = {}) {
  const telemetry: Telemetry = {
    ...fakeTelemetry(values, { ageSeconds }),
    ...(past ? { history: async (_source, _fromMs, toMs) => sampled(past, toMs) } : {}),
    alertProblem: async () => alertProblem,
  };
  return readChecks(telemetry, named, hypothesisOf(check), new SimulatedClock());
}
const minuteOf = (...values: number[]) => [...Array<number>(30).fill(20), ...values];
/** One scrape a second until now; where nothing was scraped, what there is grows old. */
function sampled(past: readonly (number | null)[], toMs: number): Map<number, RawReading> {
  const last = Math.floor(toMs / 1000);
  let newest: { value: number; second: number } | undefined;
  return new Map(
    past.map((value, index) => {
      const second = last - past.length + 1 + index;
      if (value !== null) newest = { value, second };
      return [second * 1000, newest ? { value: newest.value, ageSeconds: second - newest.second } : {}];
    }),
  );
}

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
    expect(await read(checkOf(), { past: [20, 20] })).toMatchObject([
      { held: false, reason: /was sampled over 1 of the past 60 s, at least 10/ },
    ]);
  });

  it('does not hold when nobody sampled it for some time of the baseline, and may have begun a short time ago', async () => {
    expect(await read(checkOf(), { past: [...minuteOf(), null, null, 20, ...minuteOf()] })).toMatchObject([
      { held: true },
    ]);
    const gap = [...minuteOf(), null, null, null, 20, ...minuteOf()];
    expect(await read(checkOf(), { past: gap })).toMatchObject([
      { held: false, reason: 'could not be read: was not sampled for 4 of the past 60 s, at most 3 s' },
    ]);
    expect(await read(checkOf(), { past: [null, null, null, null, null, ...minuteOf()] })).toMatchObject([
      { held: true },
    ]);
  });

  it('that must happen must not be so already: it could not happen any more', async () => {
    const [quiet] = await read(ALERT);
    expect(quiet).toMatchObject({ held: true, value: 0 });
    const query = 'count(ALERTS{alertname="Failover",alertstate="firing"}) or vector(0)';
    expect(await read(ALERT, { values: { [query]: 1 } })).toMatchObject([
      { held: false, value: 1, reason: 'is 1 alerts before the fault already' },
    ]);
  });

  it('of an alert does not hold when that alert could not fire', async () => {
    expect(await read(ALERT)).toMatchObject([{ held: true, value: 0 }]);
    const alertProblem = 'Prometheus has no alerting rule Failover';
    expect(await read(ALERT, { alertProblem })).toMatchObject([{ held: false, reason: /no alerting rule/ }]);
  });

  it('of an expected alert is asked of no Prometheus where the alarm is one of CloudWatch', async () => {
    expect(await read(expectedAlert('orders-5xx'))).toEqual([]);
  });

  it('of an expected alert that is no alarm of CloudWatch is that such a rule works, and does not fire yet', async () => {
    expect(await read(expectedAlert('Failover'))).toMatchObject([{ check: 'Failover', held: true, value: 0 }]);
    const alertProblem = 'Prometheus has no alerting rule Failover';
    expect(await read(expectedAlert('Failover'), { alertProblem })).toMatchObject([{ held: false }]);
    const query = 'count(ALERTS{alertname="Failover",alertstate="firing"}) or vector(0)';
    expect(await read(expectedAlert('Failover'), { values: { [query]: 1 } })).toMatchObject([
      { held: false, reason: 'is 1 alarms before the fault already' },
    ]);
  });

  it('of the probe, or of another cluster, is not asked of this Prometheus', async () => {
    expect(await read(checkOf({ measure: WRITE_LATENCY }))).toEqual([]);
    expect(await read(checkOf({ cluster: 'other' }))).toEqual([]);
  });
});
