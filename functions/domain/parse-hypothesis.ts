import {
  BASELINE_SECONDS,
  type Check,
  type CheckInput,
  type ExpectedAlertsInput,
  HYPOTHESIS_ALLOWED,
  type Hypothesis,
  type HypothesisInput,
  MAX_CHECKS,
  STEADY,
  type SteadyStateInput,
} from './hypothesis.ts';
import {
  ALARMS_UNIT,
  isOverRun,
  MAX_LATENCY_MS,
  type Measure,
  PRESETS,
  PROBE_MEASURES,
  type Tolerance,
  unitOf,
} from './measures.ts';
import type { FieldError } from './problem.ts';
import { syntaxProblem } from './promql-syntax.ts';
import { RECOVERY_SECONDS } from './timing.ts';

/** What of the experiment its checks are held against. */
interface Surroundings {
  /** Those that its faults name, each once. */
  clusters: readonly string[];
  durationSeconds: number;
  /** When the last faults start. Seconds from the first ones. */
  lastStartSeconds: number;
}

/** What is wrong with a field of one check, from that check on. */
type Complain = (field: string, message: string, allowed?: string) => void;

/** A payload without these fields has no hypothesis, and runs as one always did. */
export function parseHypothesis(
  {
    steadyState,
    hypothesis,
    expectedAlerts,
  }: { steadyState?: SteadyStateInput; hypothesis?: HypothesisInput; expectedAlerts?: ExpectedAlertsInput },
  surroundings: Surroundings,
): { value?: Hypothesis; errors: FieldError[] } {
  if (!steadyState && !hypothesis && !expectedAlerts) return { errors: [] };
  const errors: FieldError[] = [];
  const at =
    (place: string, position: number): Complain =>
    (field, message, allowed = HYPOTHESIS_ALLOWED[`${place}.${field}`] ?? '') =>
      errors.push({ field: `${place}.${position}${field === '' ? '' : `.${field}`}`, message, allowed });
  const steady = (steadyState?.measures ?? []).map((input, position) =>
    toCheck({ ...input, when: STEADY }, surroundings, at('steadyState.measures', position)),
  );
  const expected = (hypothesis?.checks ?? []).map((input, position) => {
    const complain = at('hypothesis.checks', position);
    const made = toCheck({ ...input, when: whenOf(input, complain) }, surroundings, complain);
    if (made) refuseTime(made, surroundings, complain);
    return made;
  });
  const alerts = (expectedAlerts ?? []).map((alert, position) => {
    const complain = at('expectedAlerts', position);
    const made = toCheck({ ...alert, ...arrivalOf(alert.name) }, surroundings, complain);
    if (made) refuseTime(made, surroundings, complain);
    return made;
  });
  const places = { 'steadyState.measures': steady, 'hypothesis.checks': expected, expectedAlerts: alerts };
  const checks = Object.values(places).flat();
  const names = new Set<string>();
  for (const [place, own] of Object.entries(places)) {
    for (const [position, made] of own.entries()) {
      if (!made) continue;
      if (names.has(made.name)) at(place, position)('name', `is also the name of an earlier one: ${made.name}`);
      names.add(made.name);
    }
  }
  if (checks.length > MAX_CHECKS) {
    const message = `has ${checks.length} checks with the measures of the steady state and the expected alerts, at most ${MAX_CHECKS} are carried`;
    errors.push({ field: 'hypothesis.checks', message, allowed: `${MAX_CHECKS} in all` });
  }
  if (errors.length > 0) return { errors };
  const value: Hypothesis = {
    ...(hypothesis ? { statement: hypothesis.statement } : {}),
    baselineSeconds: steadyState?.baselineSeconds ?? BASELINE_SECONDS.default,
    checks: checks.flatMap((made) => made ?? []),
  };
  return { value, errors };
}

/** That an alert of that name reached us once at least. */
function arrivalOf(alarm: string): Pick<Check, 'measure' | 'tolerance' | 'when'> {
  return { measure: { kind: 'ALARM', alarm }, tolerance: { atLeast: 1, unit: ALARMS_UNIT }, when: 'HAPPENS' };
}

function whenOf({ preset, when }: CheckInput, complain: Complain): Check['when'] {
  if (when === undefined && preset === undefined) complain('when', 'is missing');
  return when ?? 'THROUGHOUT';
}

function toCheck(
  input: Omit<CheckInput, 'when' | 'measure'> & Pick<Check, 'when'> & Partial<Pick<Check, 'measure'>>,
  { clusters }: Surroundings,
  complain: Complain,
): Check | undefined {
  const { preset, when, withinSeconds } = input;
  const given = preset === undefined ? input : { ...PRESETS[preset], name: input.name ?? preset };
  const { name, measure, tolerance } = given;
  if (preset !== undefined) {
    for (const field of ['measure', 'tolerance'] as const) {
      if (input[field] !== undefined)
        complain(field, 'stands beside preset, which has it', `either ${field} or preset`);
    }
  }
  if (name === undefined) complain('name', 'is missing');
  if (measure === undefined) complain('measure', 'is missing');
  if (tolerance === undefined) complain('tolerance', 'is missing');
  const [only, ...others] = clusters;
  const cluster = input.cluster ?? (others.length === 0 ? only : undefined);
  if (cluster === undefined) complain('cluster', 'is missing, and the experiment touches several', clusters.join(', '));
  else if (!clusters.includes(cluster)) complain('cluster', 'is not touched by the experiment', clusters.join(', '));
  if (name === undefined || measure === undefined || tolerance === undefined || cluster === undefined) return undefined;
  refuseMeasure(measure, complain);
  refuseTolerance(measure, tolerance, complain);
  return { name, cluster, measure, tolerance, when, ...(withinSeconds === undefined ? {} : { withinSeconds }) };
}

function refuseMeasure(measure: Measure, complain: Complain): void {
  if (measure.kind === 'PROMQL') {
    for (const field of ['query', 'control'] as const) {
      const problem = syntaxProblem(measure[field]);
      if (problem !== undefined) complain(`measure.${field}`, problem);
    }
  }
  if (measure.kind !== 'PROBE') return;
  const isLatency = PROBE_MEASURES[measure.name].over === 'window';
  if (isLatency && measure.quantile === undefined) complain('measure.quantile', 'is missing');
  if (!isLatency && measure.quantile !== undefined) complain('measure.quantile', `means nothing for ${measure.name}`);
}

/** One that always holds proves nothing, one that never does is a mistake. */
function refuseTolerance(measure: Measure, { atLeast, atMost, unit }: Tolerance, complain: Complain): void {
  const expected = unitOf(measure);
  if (expected !== undefined && unit !== expected) {
    complain('tolerance.unit', `is ${unit}, the measure is in ${expected}`, expected);
  }
  if (atLeast === undefined && atMost === undefined) complain('tolerance', 'has no limit');
  if (atLeast !== undefined && atMost !== undefined && atLeast > atMost) {
    complain('tolerance.atMost', `is below atLeast: nothing is both at least ${atLeast} and at most ${atMost}`);
  }
  if (measure.kind === 'PROMQL') return;
  if (atMost !== undefined && atMost < 0) complain('tolerance.atMost', 'never holds: the measure is 0 or more');
  if (atLeast !== undefined && atLeast <= 0) complain('tolerance.atLeast', 'always holds: the measure is 0 or more');
  if (expected !== 'ms') return;
  for (const [field, limit] of Object.entries({ atLeast, atMost })) {
    if (limit === undefined || limit < MAX_LATENCY_MS) continue;
    complain(`tolerance.${field}`, `is not below ${MAX_LATENCY_MS} ms, more than which no latency is known`);
  }
}

/** Whether there is a time in which it could hold, and somebody who sees it. */
function refuseTime(
  { measure, when, withinSeconds }: Check,
  { durationSeconds, lastStartSeconds }: Surroundings,
  complain: Complain,
): void {
  const hasWithin = when === 'AFTER_FAULT' || when === 'AFTER_ROLLBACK' || when === 'HAPPENS';
  if (hasWithin && withinSeconds === undefined) complain('withinSeconds', `is missing beside ${when}`);
  if (!hasWithin && withinSeconds !== undefined) complain('withinSeconds', `means nothing beside ${when}`);
  if (isOverRun(measure) && when !== 'THROUGHOUT') {
    complain('when', 'does not fit: the measure is one value of the whole run', 'THROUGHOUT');
  }
  if (withinSeconds === undefined || !hasWithin) return;
  const mostSeconds = {
    AFTER_FAULT: durationSeconds - lastStartSeconds - 1,
    AFTER_ROLLBACK: RECOVERY_SECONDS.max,
    HAPPENS: durationSeconds,
  }[when];
  if (withinSeconds <= mostSeconds) return;
  const message =
    when === 'AFTER_ROLLBACK' ? 'is longer than any recovery may take' : 'is not over before the faults end';
  const allowed = mostSeconds < 1 ? 'no such check: the last faults end too soon for it' : `1-${mostSeconds}`;
  complain('withinSeconds', message, allowed);
}
