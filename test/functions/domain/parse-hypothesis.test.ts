import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHECK_TIMES, MAX_CHECKS } from '../../../functions/domain/hypothesis.ts';
import { isWithin, MAX_LATENCY_MS, PRESET_NAMES, PRESETS, PROBE_MEASURES } from '../../../functions/domain/measures.ts';
import { parseExperiment } from '../../../functions/domain/parse-experiment.ts';
import { seedPayload } from './experiment-fixtures.ts';
import { LAG } from './hypothesis-fixtures.ts';

const limits = { 'redis-master': { maxDurationSeconds: 300, budgets: { unavailableSeconds: 30 } } };
const parse = (fields: object) => parseExperiment(JSON.stringify({ ...seedPayload(), ...fields }), limits);
const lag = { name: 'lag', measure: LAG, tolerance: { atMost: 100, unit: 'ms' }, when: 'THROUGHOUT' };
const writes = { ...lag, measure: { kind: 'PROBE', name: 'writeLatencyMs', quantile: 0.99 } };
const rto = { ...lag, measure: { kind: 'PROBE', name: 'rtoSeconds' }, tolerance: { atMost: 15, unit: 's' } };
const failover = {
  ...{ name: 'failover', measure: { kind: 'ENGINE', name: 'failovers' }, when: 'HAPPENS', withinSeconds: 15 },
  tolerance: { atLeast: 1, unit: 'failovers' },
};
const stating = (...checks: object[]) => ({ hypothesis: { statement: 'nobody notices', checks } });

/** Fields that are refused, each with what it may be. */
function errorsOf(fields: object) {
  const parsed = parse(fields);
  return parsed.ok ? [] : (parsed.problem.errors ?? []);
}
const fieldsOf = (fields: object) => errorsOf(fields).map(({ field }) => field);

describe('a payload with a hypothesis', () => {
  it('runs as it always did without one', () => {
    const parsed = parse({});
    expect(parsed.ok && parsed.experiment).not.toHaveProperty('hypothesis');
  });

  it('carries the measures of the steady state first, then its checks, each for the only cluster there is', () => {
    const steadyState = { baselineSeconds: 120, measures: [{ preset: 'NO_LOSS' }] };
    const parsed = parse({ steadyState, ...stating(lag, failover) });
    const cluster = 'redis-master';
    expect(parsed.ok && parsed.experiment.hypothesis).toEqual({
      ...{ statement: 'nobody notices', baselineSeconds: 120 },
      checks: [
        { name: 'NO_LOSS', cluster, ...PRESETS.NO_LOSS, when: 'STEADY' },
        { ...lag, cluster },
        { ...failover, cluster },
      ],
    });
  });

  it('may have either of the two, and looks at 60 s before the fault unless it says otherwise', () => {
    for (const fields of [stating(lag), { steadyState: { measures: [{ preset: 'NO_LOSS' }] } }]) {
      const parsed = parse(fields);
      expect(parsed.ok && parsed.experiment.hypothesis).toMatchObject({ baselineSeconds: 60, checks: [{}] });
    }
  });

  it('knows the steady state of the mission by name, in its units', () => {
    for (const preset of PRESET_NAMES) expect(fieldsOf(stating({ preset })), preset).toEqual([]);
    const most = PRESET_NAMES.map((name) => PRESETS[name].tolerance).map(({ atMost, unit }) => `${atMost} ${unit}`);
    expect(most).toEqual(['50 ms', '15 ms', '100 ms', '0 writes']);
  });

  it.each<[what: string, field: string, fields: object]>([
    ['a statement that is missing', 'hypothesis.statement', { hypothesis: { checks: [lag] } }],
    ['no check', 'hypothesis.checks', stating()],
    ['too many checks', 'hypothesis.checks', stating(...Array(MAX_CHECKS + 1).fill(lag))],
    ['a check without a measure', 'hypothesis.checks.0.measure', stating({ ...lag, measure: undefined })],
    ['a check without a name', 'hypothesis.checks.0.name', stating({ ...lag, name: undefined })],
    ['a check without a tolerance', 'hypothesis.checks.0.tolerance', stating({ ...lag, tolerance: undefined })],
    ['a check without a time', 'hypothesis.checks.0.when', stating({ ...lag, when: undefined })],
    ['an unknown time', 'hypothesis.checks.0.when', stating({ ...lag, when: 'SOMETIMES' })],
    ['an unknown kind', 'hypothesis.checks.0.measure.kind', stating({ ...lag, measure: { ...LAG, kind: 'SQL' } })],
    [
      'an unknown measure',
      'hypothesis.checks.0.measure.name',
      stating({ ...rto, measure: { kind: 'PROBE', name: 'mood' } }),
    ],
    ['an unknown preset', 'hypothesis.checks.0.preset', stating({ preset: 'ALL_WELL' })],
    ['a misspelt field', 'hypothesis.checks.0.tolerence', stating({ ...lag, tolerence: {} })],
    [
      'PromQL without a control',
      'hypothesis.checks.0.measure.control',
      stating({ ...lag, measure: { ...LAG, control: undefined } }),
    ],
    [
      'PromQL without what shows its age',
      'hypothesis.checks.0.measure.freshness',
      stating({ ...lag, measure: { ...LAG, freshness: undefined } }),
    ],
    [
      'an alert that would leave its quotes',
      'hypothesis.checks.0.measure.alert',
      stating({ ...lag, measure: { kind: 'ALERT', alert: 'a"} or up{' } }),
    ],
    [
      'a latency without a quantile',
      'hypothesis.checks.0.measure.quantile',
      stating({ ...lag, measure: { kind: 'PROBE', name: 'readLatencyMs' } }),
    ],
    [
      'a quantile of one value',
      'hypothesis.checks.0.measure.quantile',
      stating({ ...rto, measure: { ...rto.measure, quantile: 0.5 } }),
    ],
    [
      'a quantile of 1',
      'hypothesis.checks.0.measure.quantile',
      stating({ ...writes, measure: { ...writes.measure, quantile: 1 } }),
    ],
    [
      'another unit than the measure has',
      'hypothesis.checks.0.tolerance.unit',
      stating({ ...rto, tolerance: { atMost: 15, unit: 'ms' } }),
    ],
    ['a tolerance without a limit', 'hypothesis.checks.0.tolerance', stating({ ...lag, tolerance: { unit: 'ms' } })],
    [
      'a tolerance that nothing is in',
      'hypothesis.checks.0.tolerance.atMost',
      stating({ ...lag, tolerance: { atLeast: 2, atMost: 1, unit: 'ms' } }),
    ],
    [
      'a tolerance that never holds',
      'hypothesis.checks.0.tolerance.atMost',
      stating({ ...rto, tolerance: { atMost: -1, unit: 's' } }),
    ],
    [
      'a tolerance that always holds',
      'hypothesis.checks.0.tolerance.atLeast',
      stating({ ...failover, tolerance: { atLeast: 0, unit: 'failovers' } }),
    ],
    [
      'a latency that nobody can know',
      'hypothesis.checks.0.tolerance.atMost',
      stating({ ...writes, tolerance: { atMost: MAX_LATENCY_MS, unit: 'ms' } }),
    ],
    ['one value of the run that must hold before it', 'hypothesis.checks.0.when', stating({ ...rto, when: 'BEFORE' })],
    ['no time after the fault', 'hypothesis.checks.0.withinSeconds', stating({ ...lag, when: 'AFTER_FAULT' })],
    ['a time beside one that has none', 'hypothesis.checks.0.withinSeconds', stating({ ...lag, withinSeconds: 5 })],
    [
      'a time that ends with the faults',
      'hypothesis.checks.0.withinSeconds',
      stating({ ...lag, when: 'AFTER_FAULT', withinSeconds: 60 }),
    ],
    [
      'something that may happen after the end',
      'hypothesis.checks.0.withinSeconds',
      stating({ ...failover, withinSeconds: 61 }),
    ],
    ['a cluster that no fault is on', 'hypothesis.checks.0.cluster', stating({ ...lag, cluster: 'other' })],
    ['a name that is given twice', 'hypothesis.checks.1.name', stating(lag, lag)],
    ['a preset beside a measure', 'hypothesis.checks.0.measure', stating({ preset: 'NO_LOSS', measure: LAG })],
    ['a measure of the steady state with a time', 'steadyState.measures.0.when', { steadyState: { measures: [lag] } }],
    [
      'a baseline that is a glimpse',
      'steadyState.baselineSeconds',
      { steadyState: { baselineSeconds: 5, measures: [{ preset: 'NO_LOSS' }] } },
    ],
  ])('is refused by name for %s, with what is allowed', (_what, field, fields) => {
    const error = errorsOf(fields).find((one) => one.field === field);
    expect(error, fieldsOf(fields).join(', ')).toBeDefined();
    expect(error?.allowed).not.toBe('');
    expect(error?.allowed).not.toMatch(/see the documentation|undefined|NaN|-1/);
  });

  it('names as allowed only what may stand in that place', () => {
    const { allowed = '' } = errorsOf(stating({ ...lag, tolerence: {} }))[0] ?? {};
    expect(allowed).toBe('one of name, preset, measure, tolerance, cluster, when, withinSeconds');
  });

  it.each([
    ['a query that ends ours', 'hypothesis.checks.0.measure.query', { measure: { ...LAG, query: 'up) or vector(0' } }],
    ['a query with an open quote', 'hypothesis.checks.0.measure.query', { measure: { ...LAG, query: 'up{a="b}' } }],
    ['a query with a comment', 'hypothesis.checks.0.measure.query', { measure: { ...LAG, query: 'up # ' } }],
    [
      'a control with an open bracket',
      'hypothesis.checks.0.measure.control',
      { measure: { ...LAG, control: 'rate(up' } },
    ],
    [
      'a unit that a terminal obeys',
      'hypothesis.checks.0.tolerance.unit',
      { tolerance: { atMost: 1, unit: 'm\u001b[2J' } },
    ],
    ['a name that turns the rest around', 'hypothesis.checks.0.name', { name: 'a\u202eb' }],
    ['a name of spaces', 'hypothesis.checks.0.name', { name: ' ' }],
  ])('is refused for %s', (_what, field, change) => {
    expect(fieldsOf(stating({ ...lag, ...change }))).toContain(field);
  });

  it('names the cluster of each check where it touches several, and counts from the last fault on', () => {
    const fault = (cluster: string, offsetSeconds: number) => ({
      ...{ targetService: cluster, action: 'PROCESS_KILL', offsetSeconds, parameters: { targetNodes: ['n1'] } },
    });
    const { targetService: _, action: __, parameters: ___, ...common } = seedPayload();
    const list = (...checks: object[]) =>
      parseExperiment(
        JSON.stringify({ ...common, faults: [fault('a', 0), fault('b', 50)], ...stating(...checks) }),
        limits,
      );
    const late = { ...lag, cluster: 'b', when: 'AFTER_FAULT' };
    const refused = (parsed: ReturnType<typeof list>) =>
      parsed.ok ? [] : (parsed.problem.errors ?? []).map(({ field }) => field);
    expect(refused(list(lag))).toEqual(['hypothesis.checks.0.cluster']);
    expect(refused(list({ ...late, withinSeconds: 9 }))).toEqual([]);
    expect(refused(list({ ...late, withinSeconds: 10 }))).toEqual(['hypothesis.checks.0.withinSeconds']);
  });

  it('never runs with a tolerance that could not fail, or could not hold', () => {
    const measure = fc.constantFrom(...Object.keys(PROBE_MEASURES)).map((name) => {
      const { over, unit } = PROBE_MEASURES[name as keyof typeof PROBE_MEASURES];
      return { unit, measure: { kind: 'PROBE', name, ...(over === 'window' ? { quantile: 0.99 } : {}) } };
    });
    const limit = fc.option(fc.integer({ min: -10, max: 2 * MAX_LATENCY_MS }), { nil: undefined });
    const when = fc.constantFrom(...CHECK_TIMES);
    fc.assert(
      fc.property(measure, limit, limit, when, fc.boolean(), (measured, atLeast, atMost, time, hasWithin) => {
        const tolerance = { atLeast, atMost, unit: measured.unit };
        const check = { ...{ name: 'x', measure: measured.measure, tolerance, when: time } };
        const parsed = parse(stating({ ...check, ...(hasWithin ? { withinSeconds: 5 } : {}) }));
        if (!parsed.ok) return;
        const [made] = parsed.experiment.hypothesis?.checks ?? [];
        if (!made) throw new Error('no check');
        const possible = [0, 1, 5, MAX_LATENCY_MS, 1e9, atLeast ?? 0, atMost ?? 0].filter((value) => value >= 0);
        expect(possible.some((value) => isWithin(made.tolerance, value))).toBe(true);
        expect(possible.some((value) => !isWithin(made.tolerance, value))).toBe(true);
      }),
    );
  });
});

describe('a payload with expected alerts', () => {
  const alert = { name: 'orders 5xx / "eu"', withinSeconds: 60 };

  it('carries each as a check behind the others, which holds when it arrives', () => {
    const parsed = parse({ ...stating(lag), expectedAlerts: [alert] });
    expect(parsed.ok && parsed.experiment.hypothesis?.checks).toEqual([
      expect.objectContaining({ name: 'lag' }),
      {
        ...{ ...alert, cluster: 'redis-master', measure: { kind: 'ALARM', alarm: alert.name } },
        ...{ tolerance: { atLeast: 1, unit: 'alarms' }, when: 'HAPPENS' },
      },
    ]);
  });

  it('needs no hypothesis beside them', () => {
    const parsed = parse({ expectedAlerts: [alert] });
    expect(parsed.ok && parsed.experiment.hypothesis).toMatchObject({ baselineSeconds: 60, checks: [{}] });
  });

  it.each<[what: string, field: string, fields: object]>([
    ['none', 'expectedAlerts', { expectedAlerts: [] }],
    ['one without a time', 'expectedAlerts.0.withinSeconds', { expectedAlerts: [{ name: 'a' }] }],
    [
      'one that may come after the end',
      'expectedAlerts.0.withinSeconds',
      { expectedAlerts: [{ ...alert, withinSeconds: 61 }] },
    ],
    ['one without a name', 'expectedAlerts.0.name', { expectedAlerts: [{ withinSeconds: 9 }] }],
    ['a control character in a name', 'expectedAlerts.0.name', { expectedAlerts: [{ ...alert, name: 'a\u0007' }] }],
    ['one of another cluster', 'expectedAlerts.0.cluster', { expectedAlerts: [{ ...alert, cluster: 'other' }] }],
    ['the same one twice', 'expectedAlerts.1.name', { expectedAlerts: [alert, alert] }],
    [
      'the name of a check',
      'expectedAlerts.0.name',
      { ...stating({ ...lag, name: 'a' }), expectedAlerts: [{ ...alert, name: 'a' }] },
    ],
    ['an unknown field', 'expectedAlerts.0.severity', { expectedAlerts: [{ ...alert, severity: 'INFO' }] }],
  ])('is refused with %s, by name and with what is allowed', (_what, field, fields) => {
    const [error] = errorsOf(fields);
    expect(error).toMatchObject({ field, allowed: expect.stringMatching(/./) });
  });

  it('cannot say by a check of its own what only an expected alert says', () => {
    const measure = { kind: 'ALARM', alarm: 'a' };
    expect(fieldsOf(stating({ ...failover, measure }))).toEqual(['hypothesis.checks.0.measure.kind']);
  });
});
