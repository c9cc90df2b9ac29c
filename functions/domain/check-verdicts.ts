import { announcedMsOf, judgeArrival } from './arrivals.ts';
import { type AuditEntry, type EntryOf, isEntryOf, lastOf } from './audit-entry.ts';
import { valueNear } from './check-samples.ts';
import { evidenceOf, type ShardEvidence } from './evidence.ts';
import { type Check, STEADY } from './hypothesis.ts';
import { longestRangeSeconds } from './measure-queries.ts';
import {
  isInTelemetry,
  isOverRun,
  isWithin,
  measureText,
  type ProbeMeasureName,
  toleranceText,
  worstOf,
} from './measures.ts';
import { isSameShard, shardText } from './probed-shards.ts';
import { endingMsOf } from './rollback-time.ts';
import { rollbackOf, stateOf } from './status.ts';
import type { CheckObservation, CheckReading, CheckSeries, CheckVerdict } from './workflow.ts';

/** What became of one check, without what the check itself says. */
type Judged = Pick<CheckVerdict, 'result'> &
  Partial<Omit<CheckVerdict, 'name' | 'cluster' | 'measure' | 'when' | 'tolerance' | 'unit'>>;

/** What the evidence has of each measure that is one value of the run. */
const OVER_RUN: { [N in ProbeMeasureName]?: (shard: ShardEvidence) => number | undefined } = {
  rtoSeconds: (shard) => shard.rtoSeconds,
  unavailableSeconds: (shard) => shard.unavailableSeconds,
  lostAcknowledgedWrites: (shard) => shard.lostAcknowledgedWrites,
  staleReads: (shard) => shard.staleReads,
  duplicatedRecords: (shard) => shard.duplicatedRecords,
  reorderedRecords: (shard) => shard.reorderedRecords,
  overwrittenWrites: (shard) => shard.overwrittenWrites,
  resurrectedWrites: (shard) => shard.resurrectedWrites,
  unacknowledgedWrites: (shard) => shard.unacknowledgedWrites,
};

/** A sample is of the second in which it was taken, which may be one after what it shows. */
const SCRAPED_WITHIN_SECONDS = 1;

/** Whole seconds since the epoch, both included. */
interface Span {
  from: number;
  until: number;
}

/** Samples of one shard, or of Prometheus; without any nobody knows. */
type Line = Required<Pick<CheckSeries, 'values' | 'gapSeconds'>> & { fromSecond: number; problem?: string };

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
  /** While our fence kept clients away from a node. */
  fenced: Span[];
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
  if (check.measure.kind === 'ALARM') return judgeArrival(check, entries, moments.announcedMs);
  const lines = isInTelemetry(check.measure) ? telemetryLines(check, entries) : probeLines(check, evidence, entries);
  const judged = judgeLines(check, lines, moments);
  const [problem] = lines.flatMap((line) => line.problem ?? []);
  return judged.result === 'UNKNOWN' && problem ? { ...judged, reason: `${judged.reason}: ${problem}` } : judged;
}

/** Of one value a shard. A shard that was not measured makes the whole unknown, unless another one is out already. */
function judgeRun({ measure, tolerance }: Check, evidence: readonly ShardEvidence[]): Judged {
  if (measure.kind !== 'PROBE') return unknown('is no measure of a whole run');
  const values = evidence.map((shard) => OVER_RUN[measure.name]?.(shard));
  const known = values.filter((value) => value !== undefined);
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
  const announcedMs = announcedMsOf(entries);
  if (announcedMs === undefined) return undefined;
  const injected = lastOf(entries, 'INJECTED');
  const rollback = entries.findLast((entry) => isEntryOf(entry, 'ROLLED_BACK', 'ROLLBACK_FAILED'));
  const recovered = entries.findLast((entry) => isEntryOf(entry, 'RECOVERY_VERIFIED', 'RECOVERY_FAILED'));
  const { rolledBackAt, nodes = [] } = rollbackOf(entries) ?? {};
  return {
    announcedMs,
    lastInjectedMs: Date.parse(injected?.confirmedAt ?? ''),
    endingMs: endingMsOf(entries),
    liftedMs: Date.parse(rolledBackAt ?? rollback?.at ?? ''),
    recoveredMs: Date.parse(recovered?.at ?? ''),
    fenced: nodes.flatMap(({ fence }) => {
      const span = { from: secondOf(fence?.raisedAt), until: secondOf(fence?.loweredAt) };
      return Number.isNaN(span.from) ? [] : [{ ...span, until: Number.isNaN(span.until) ? Infinity : span.until }];
    }),
  };
}

function telemetryLines({ name }: Check, entries: readonly AuditEntry[]): Line[] {
  const observed = entries.findLast(
    (entry): entry is EntryOf<'CHECKS_OBSERVED'> => isEntryOf(entry, 'CHECKS_OBSERVED') && !entry.details.probed,
  );
  return [lineOf(observed?.details, name, 'nobody has read it back from Prometheus')];
}

/** One for each impacted shard; of one of which nothing counts, without a sample. */
function probeLines({ name }: Check, evidence: readonly ShardEvidence[], entries: readonly AuditEntry[]): Line[] {
  if (evidence.length === 0) return [lineOf(undefined, name, 'no shard of the cluster was probed')];
  return evidence.map((shard) => {
    const observed = entries.findLast(
      (entry): entry is EntryOf<'CHECKS_OBSERVED'> =>
        isEntryOf(entry, 'CHECKS_OBSERVED') &&
        entry.details.probed !== undefined &&
        isSameShard(entry.details.probed, shard),
    );
    const missing = `${shardText(shard)}: ${shard.problem ?? 'the probe has not told its values'}`;
    return lineOf(shard.problem === undefined ? observed?.details : undefined, name, missing);
  });
}

function lineOf(observed: CheckObservation | undefined, name: string, missing: string): Line {
  const series = observed?.series.find(({ check }) => check === name);
  if (!observed || !series) return { values: [], fromSecond: 0, gapSeconds: 1, problem: missing };
  const { values, gapSeconds = 1, problem } = series;
  return { values, gapSeconds, fromSecond: observed.fromSecond, ...(problem === undefined ? {} : { problem }) };
}

/** A second of a span. `holds`: in its tolerance on every line; undefined: unknown. */
interface State {
  second: number;
  values: number[];
  holds: boolean | undefined;
}

function statesOf({ tolerance }: Check, lines: readonly Line[], span: Span): State[] {
  const length = Math.max(0, span.until - span.from + 1);
  return Array.from({ length }, (_, index) => {
    const second = span.from + index;
    const found = lines.map((line) => valueNear(line, second, span));
    const values = found.filter((value) => value !== null);
    const isOut = values.some((value) => !isWithin(tolerance, value));
    return { second, values, holds: isOut ? false : values.length < found.length ? undefined : true };
  });
}

function judgeLines(check: Check, lines: readonly Line[], moments: Moments): Judged {
  const seenUntil = Math.min(...lines.map(({ fromSecond, values }) => fromSecond + values.length - 1));
  const span = spanOf(check, moments, seenUntil);
  if (!span) return unknown('the log does not tell when it had to hold');
  if (check.when === 'HAPPENS') return judgeHappens(check, lines, span);
  if (check.when === 'THROUGHOUT') return judgeAll(check, statesOf(check, lines, span), moments);
  return judgeFromThenOn(check, lines, span, moments);
}

/** @returns undefined when a moment that it needs is not in the log */
function spanOf({ when, withinSeconds = 0 }: Check, moments: Moments, seenUntil: number): Span | undefined {
  const second = (ms: number) => Math.floor(ms / 1000);
  const announced = second(moments.announcedMs);
  const recovered = second(moments.recoveredMs);
  const behind = { from: second(moments.liftedMs), until: Math.max(seenUntil, recovered) };
  const span = {
    BEFORE: { from: Number.NaN, until: Number.NaN },
    THROUGHOUT: { from: announced, until: recovered },
    // Seconds that were over before the end began.
    AFTER_FAULT: { from: second(moments.lastInjectedMs), until: second(moments.endingMs) - 1 },
    AFTER_ROLLBACK: behind,
    [STEADY]: behind,
    HAPPENS: { from: announced, until: announced + withinSeconds },
  }[when];
  return Number.isFinite(span.from) && Number.isFinite(span.until) ? span : undefined;
}

/** Customers whom our fence keeps away are hurt by us: what follows for the system nobody knows. */
function judgeAll({ measure, tolerance }: Check, states: readonly State[], { fenced }: Moments): Judged {
  const values = states.flatMap((state) => state.values);
  const out = states.filter(({ holds }) => holds === false);
  const unseen = states.filter(({ holds }) => holds === undefined);
  const measured = values.length === 0 ? {} : { measured: worstOf(tolerance, values) };
  const gaps = unseen.length === 0 ? {} : { unknownSeconds: unseen.length };
  const [first, last] = [out[0], out.at(-1)];
  if (first && last) {
    const text = `${out.length} of ${states.length} s it was not ${toleranceText(tolerance)}`;
    const shownSeconds = longestRangeSeconds(measure) + SCRAPED_WITHIN_SECONDS;
    const isOurs = out.every(({ second }) =>
      fenced.some(({ from, until }) => second >= from && second <= until + (isInTelemetry(measure) ? shownSeconds : 0)),
    );
    return {
      ...(isOurs
        ? { result: 'UNKNOWN', reason: `while our fence kept clients away, ${text}` }
        : { result: 'FAILED', reason: text }),
      ...{ ...measured, failedSeconds: out.length },
      ...{ firstFailedAt: iso(first.second), lastFailedAt: iso(last.second), ...gaps },
    };
  }
  if (states.length === 0) return unknown('there was no time in which it had to hold');
  if (unseen.length === 0) return { result: 'HELD', ...measured };
  return { result: 'UNKNOWN', ...measured, ...gaps, reason: `not known at ${unseen.length} of ${states.length} s` };
}

/** It may be out until `withinSeconds` have passed; of a time that ended before, all that counts is whether it was back. */
function judgeFromThenOn(check: Check, lines: readonly Line[], { from, until }: Span, moments: Moments): Judged {
  const { when, withinSeconds = Number.POSITIVE_INFINITY } = check;
  const judgedFrom = Math.min(from + withinSeconds, until);
  const judged = judgeAll(check, statesOf(check, lines, { from: judgedFrom, until }), moments);
  const isCutShort = when !== STEADY && from + withinSeconds > until;
  if (judged.result === 'FAILED' && isCutShort) {
    const looked = `it had ${withinSeconds} s, of which ${Math.max(0, until - from)} s could be seen`;
    return {
      ...judged,
      result: 'UNKNOWN',
      reason: `${looked}: at their end it was not ${toleranceText(check.tolerance)}`,
    };
  }
  if (judged.result !== 'HELD') return judged;
  const lastOther = statesOf(check, lines, { from, until }).findLast(({ holds }) => holds !== true);
  return { ...judged, heldAfterSeconds: lastOther ? lastOther.second + 1 - from : 0 };
}

/** It has not happened by being so already: somebody must have seen that it was not so before. */
function judgeHappens(check: Check, lines: readonly Line[], span: Span): Judged {
  const { tolerance, withinSeconds } = check;
  const longestGap = Math.max(...lines.map(({ gapSeconds }) => gapSeconds));
  const [before] = statesOf(check, lines, { from: span.from - longestGap, until: span.from - 1 }).slice(-1);
  const states = statesOf(check, lines, span);
  const values = states.flatMap((state) => state.values);
  if (before?.holds !== false) {
    return unknown(
      before?.holds ? 'it was so before the fault already' : 'not known whether it was so before the fault',
    );
  }
  const reached = states.find(({ holds }) => holds === true);
  if (reached) {
    const measured = worstOf(tolerance, reached.values);
    return { result: 'HELD', measured, heldAfterSeconds: reached.second - span.from };
  }
  const unseen = states.filter(({ holds }) => holds === undefined).length;
  if (unseen > 0) {
    return { result: 'UNKNOWN', unknownSeconds: unseen, reason: `not known at ${unseen} of ${states.length} s` };
  }
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

function secondOf(at: string | undefined): number {
  return Math.floor(Date.parse(at ?? '') / 1000);
}

function iso(second: number): string {
  return new Date(second * 1000).toISOString();
}
