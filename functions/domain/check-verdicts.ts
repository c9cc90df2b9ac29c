import { type AuditEntry, type EntryOf, isEntryOf, lastOf } from './audit-entry.ts';
import { evidenceOf, type ShardEvidence } from './evidence.ts';
import { type Check, STEADY } from './hypothesis.ts';
import { isInTelemetry, isOverRun, isWithin, measureText, toleranceText, worstOf } from './measures.ts';
import { isSameShard, shardText } from './probed-shards.ts';
import { rollbackOf, stateOf } from './status.ts';
import type { CheckObservation, CheckReading, CheckSeries, CheckVerdict } from './workflow.ts';

/** What became of one check, without what the check itself says. */
type Judged = Pick<CheckVerdict, 'result'> &
  Partial<Omit<CheckVerdict, 'name' | 'cluster' | 'measure' | 'when' | 'tolerance' | 'unit'>>;

/** Whole seconds since the epoch, both included. */
interface Span {
  fromSecond: number;
  untilSecond: number;
}

/** One line of values, each at its second; what is not in it is unknown. */
type Line = CheckSeries & { fromSecond: number; of: string };

/** The moments that checks are held against, as the log has them. */
interface Moments {
  /** The first fault was announced. */
  announcedMs: number;
  /** The last faults were confirmed; NaN: none was. */
  lastInjectedMs: number;
  /** The faults began to end. */
  endingMs: number;
  /** The last fault was lifted. */
  liftedMs: number;
  recoveredMs: number;
}

/** What became of every check of the hypothesis; empty without one. What nobody saw did not hold. */
export function checkVerdicts(entries: readonly AuditEntry[]): CheckVerdict[] {
  const { hypothesis } = stateOf(entries).experiment ?? {};
  if (!hypothesis) return [];
  const evidence = evidenceOf(entries);
  return hypothesis.checks.map((check) => {
    const { name, cluster, measure, when, withinSeconds, tolerance } = check;
    const { unit, ...limits } = tolerance;
    return {
      ...{ name, cluster, measure: measureText(measure), when, tolerance: limits, unit },
      ...(withinSeconds === undefined ? {} : { withinSeconds }),
      ...judgeCheck(
        check,
        evidence.filter((shard) => shard.cluster === cluster),
        entries,
      ),
    };
  });
}

function judgeCheck(check: Check, evidence: readonly ShardEvidence[], entries: readonly AuditEntry[]): Judged {
  if (isOverRun(check.measure)) return judgeRun(check, evidence);
  if (check.when === 'BEFORE') return judgeBefore(check, entries);
  const moments = momentsOf(entries);
  if (!moments) return unknown('nothing was injected');
  const lines = isInTelemetry(check.measure) ? telemetryLines(check, entries) : probeLines(check, evidence, entries);
  if (typeof lines === 'string') return unknown(lines);
  const judged = judgeLines(check, lines, moments);
  const [problem] = lines.flatMap((line) => line.problem ?? []);
  return judged.result === 'UNKNOWN' && problem ? { ...judged, reason: `${judged.reason}: ${problem}` } : judged;
}

/** Of one value a shard. A shard that was not measured makes the whole unknown, unless another one is out already. */
function judgeRun({ measure, tolerance }: Check, evidence: readonly ShardEvidence[]): Judged {
  if (measure.kind !== 'PROBE') return unknown('is no measure of a whole run');
  const values = evidence.map((shard) => (shard as unknown as Record<string, unknown>)[measure.name]);
  const known = values.filter((value) => typeof value === 'number');
  const measured = worstOf(tolerance, known);
  if (known.length > 0 && !isWithin(tolerance, measured)) return failed(tolerance, measured);
  if (known.length > 0 && known.length === values.length) return { result: 'HELD', measured };
  const why = evidence.flatMap((shard) => (shard.problem ? [`${shardText(shard)}: ${shard.problem}`] : []));
  return unknown(why.join('; ') || `${measure.name} was not measured`);
}

/** Without that the fault would not have come: what was seen is in the entries that let it. */
function judgeBefore({ name, tolerance }: Check, entries: readonly AuditEntry[]): Judged {
  const readings = entries.flatMap((entry): CheckReading[] =>
    isEntryOf(entry, 'STEADY_STATE_CONFIRMED', 'PROBE_READY') ? (entry.details.checks ?? []) : [],
  );
  const own = readings.filter(({ check }) => check === name);
  const values = own.flatMap(({ value }) => value ?? []);
  if (own.length === 0 || values.length < own.length) return unknown('was not measured before the fault');
  const measured = worstOf(tolerance, values);
  return isWithin(tolerance, measured) ? { result: 'HELD', measured } : failed(tolerance, measured);
}

function momentsOf(entries: readonly AuditEntry[]): Moments | undefined {
  const announced = entries.find(({ type }) => type === 'INJECTING');
  if (!announced) return undefined;
  const injected = lastOf(entries, 'INJECTED');
  const rollback = entries.findLast((entry) => isEntryOf(entry, 'ROLLED_BACK', 'ROLLBACK_FAILED'));
  const recovered = entries.findLast((entry) => isEntryOf(entry, 'RECOVERY_VERIFIED', 'RECOVERY_FAILED'));
  const rollingBackMs = Date.parse(entries.find(({ type }) => type === 'ROLLING_BACK')?.at ?? '');
  const endsMs = Date.parse(injected?.endsAt ?? '');
  return {
    announcedMs: Date.parse(announced.at),
    lastInjectedMs: Date.parse(injected?.confirmedAt ?? ''),
    // A host may end its fault a little before anybody asks it to.
    endingMs: Number.isNaN(endsMs) ? rollingBackMs : Math.min(endsMs, rollingBackMs),
    liftedMs: Date.parse(rollbackOf(entries)?.rolledBackAt ?? rollback?.at ?? ''),
    recoveredMs: Date.parse(recovered?.at ?? ''),
  };
}

function telemetryLines({ name }: Check, entries: readonly AuditEntry[]): Line[] | string {
  const observed = entries.findLast(
    (entry): entry is EntryOf<'CHECKS_OBSERVED'> => isEntryOf(entry, 'CHECKS_OBSERVED') && !entry.details.probed,
  );
  const lines = observed ? linesOf(observed.details, name, 'Prometheus') : [];
  return lines.length > 0 ? lines : 'nobody has read it back from Prometheus';
}

/** One for each impacted shard; of a shard of which nothing counts, why. */
function probeLines(
  { name }: Check,
  evidence: readonly ShardEvidence[],
  entries: readonly AuditEntry[],
): Line[] | string {
  if (evidence.length === 0) return 'no shard of the cluster was probed';
  const lines: Line[] = [];
  for (const shard of evidence) {
    if (shard.problem !== undefined) return `${shardText(shard)}: ${shard.problem}`;
    const observed = entries.findLast(
      (entry): entry is EntryOf<'CHECKS_OBSERVED'> =>
        isEntryOf(entry, 'CHECKS_OBSERVED') &&
        entry.details.probed !== undefined &&
        isSameShard(entry.details.probed, shard),
    );
    const own = observed ? linesOf(observed.details, name, shardText(shard)) : [];
    if (own.length === 0) return `${shardText(shard)}: the probe has not told its values`;
    lines.push(...own);
  }
  return lines;
}

function linesOf({ fromSecond, series }: CheckObservation, name: string, of: string): Line[] {
  return series.filter(({ check }) => check === name).map((one) => ({ ...one, fromSecond, of }));
}

/** Whether it is in its tolerance on every line at that second; undefined: unknown. */
function holdsAt({ tolerance }: Check, lines: readonly Line[], second: number): boolean | undefined {
  const values = valuesAt(lines, second);
  if (values.some((value) => value !== null && !isWithin(tolerance, value))) return false;
  return values.includes(null) ? undefined : true;
}

function valuesAt(lines: readonly Line[], second: number): (number | null)[] {
  return lines.map(({ values, fromSecond }) => values[second - fromSecond] ?? null);
}

function judgeLines(check: Check, lines: readonly Line[], moments: Moments): Judged {
  const seenUntil = Math.min(...lines.map(({ fromSecond, values }) => fromSecond + values.length - 1));
  const span = spanOf(check, moments, seenUntil);
  if (!span) return unknown('the log does not tell when it had to hold');
  const { fromSecond, untilSecond } = span;
  const seconds = Array.from({ length: Math.max(0, untilSecond - fromSecond + 1) }, (_, index) => fromSecond + index);
  const states = seconds.map((second) => ({ second, holds: holdsAt(check, lines, second) }));
  if (check.when === 'HAPPENS') return judgeHappens(check, lines, states, moments);
  if (check.when === 'THROUGHOUT') return judgeAll(check, lines, states);
  return judgeFromThenOn(check, lines, states, span);
}

interface State {
  second: number;
  holds: boolean | undefined;
}

/** @returns undefined when a moment that it needs is not in the log */
function spanOf({ when, withinSeconds = 0 }: Check, moments: Moments, seenUntil: number): Span | undefined {
  const { announcedMs, lastInjectedMs, endingMs, liftedMs, recoveredMs } = moments;
  const second = (ms: number) => Math.floor(ms / 1000);
  const span = {
    BEFORE: { fromSecond: Number.NaN, untilSecond: Number.NaN },
    THROUGHOUT: { fromSecond: second(announcedMs), untilSecond: second(recoveredMs) },
    // Seconds that were over before the end began.
    AFTER_FAULT: { fromSecond: second(lastInjectedMs), untilSecond: second(endingMs) - 1 },
    AFTER_ROLLBACK: { fromSecond: second(liftedMs), untilSecond: Math.max(seenUntil, second(recoveredMs)) },
    [STEADY]: { fromSecond: second(liftedMs), untilSecond: Math.max(seenUntil, second(recoveredMs)) },
    HAPPENS: { fromSecond: second(announcedMs), untilSecond: second(announcedMs) + withinSeconds },
  }[when];
  return Number.isFinite(span.fromSecond) && Number.isFinite(span.untilSecond) ? span : undefined;
}

function judgeAll({ tolerance }: Check, lines: readonly Line[], states: readonly State[]): Judged {
  const values = states.flatMap(({ second }) => valuesAt(lines, second)).filter((value) => value !== null);
  const out = states.filter(({ holds }) => holds === false);
  const unseen = states.filter(({ holds }) => holds === undefined);
  const measured = values.length === 0 ? {} : { measured: worstOf(tolerance, values) };
  const gaps = unseen.length === 0 ? {} : { unknownSeconds: unseen.length };
  const [first, last] = [out[0], out.at(-1)];
  if (first && last) {
    const reason = `${out.length} of ${states.length} s it was not ${toleranceText(tolerance)}`;
    return {
      ...{ result: 'FAILED', ...measured, failedSeconds: out.length },
      ...{ firstFailedAt: iso(first.second), lastFailedAt: iso(last.second), ...gaps, reason },
    };
  }
  if (states.length === 0) return unknown('there was no time in which it had to hold');
  if (unseen.length === 0) return { result: 'HELD', ...measured };
  return { result: 'UNKNOWN', ...measured, ...gaps, reason: `not known at ${unseen.length} of ${states.length} s` };
}

/** It may be out at first. What counts is from `withinSeconds` on; of a time that ended before, its last second. */
function judgeFromThenOn(check: Check, lines: readonly Line[], states: readonly State[], span: Span): Judged {
  const { withinSeconds = Number.POSITIVE_INFINITY } = check;
  const judgedFrom = Math.min(span.fromSecond + withinSeconds, span.untilSecond);
  const judged = judgeAll(
    check,
    lines,
    states.filter(({ second }) => second >= judgedFrom),
  );
  if (judged.result !== 'HELD') return judged;
  const lastOther = states.findLast(({ holds }) => holds !== true);
  const heldFrom = lastOther ? lastOther.second + 1 : span.fromSecond;
  return { ...judged, heldAfterSeconds: heldFrom - span.fromSecond };
}

function judgeHappens(
  { tolerance, withinSeconds }: Check,
  lines: readonly Line[],
  states: readonly State[],
  { announcedMs }: Moments,
): Judged {
  const reached = states.find(({ holds }) => holds === true);
  if (reached) {
    const measured = worstOf(
      tolerance,
      valuesAt(lines, reached.second).filter((value) => value !== null),
    );
    return { result: 'HELD', measured, heldAfterSeconds: reached.second - Math.floor(announcedMs / 1000) };
  }
  const unseen = states.filter(({ holds }) => holds === undefined).length;
  if (unseen > 0) {
    return { result: 'UNKNOWN', unknownSeconds: unseen, reason: `not known at ${unseen} of ${states.length} s` };
  }
  const values = states.flatMap(({ second }) => valuesAt(lines, second)).filter((value) => value !== null);
  const reason = `was not ${toleranceText(tolerance)} within ${withinSeconds} s`;
  return { result: 'FAILED', ...(values.length === 0 ? {} : { measured: nearestOf(tolerance, values) }), reason };
}

/** How near it came. */
function nearestOf(tolerance: Check['tolerance'], values: readonly number[]): number {
  return values.reduce((nearest, value) => (worstOf(tolerance, [nearest, value]) === nearest ? value : nearest));
}

function failed(tolerance: Check['tolerance'], measured: number): Judged {
  return {
    result: 'FAILED',
    measured,
    reason: `is ${measured} ${tolerance.unit}, it must be ${toleranceText(tolerance)}`,
  };
}

function unknown(reason: string): Judged {
  return { result: 'UNKNOWN', reason };
}

function iso(second: number): string {
  return new Date(second * 1000).toISOString();
}
