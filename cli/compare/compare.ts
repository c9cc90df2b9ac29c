import { hasSeveralClusters, type MeasureSummary, samplesOf, summarizeMeasure } from '../runs/distributions.ts';
import { clustersOf } from '../runs/measures.ts';
import { outcomesOf } from '../runs/outcomes.ts';
import { CHECK_RESULTS, type CheckResult, counts, type RunDocument } from '../runs/run-document.ts';
import type { Distribution } from '../statistics/distribution.ts';
import { askedNotKnown, type Difference, differencesBetween } from './differences.ts';

export interface Side {
  /** Ids of the runs that count. */
  runs: string[];
  /** Runs whose values say nothing about the next one, and how they ended. */
  leftOut: { experimentId: string; status: string; outcome: string | null; reason: string | null }[];
  outcomes: Record<string, number>;
}

export interface ComparedMeasure {
  measure: string;
  unit: string;
  a: Distribution;
  b: Distribution;
  /** Median of B less that of A. */
  difference: number;
  /** Median of B over that of A; null when A's is 0. */
  ratio: number | null;
}

export type CheckResults = Partial<Record<CheckResult, number>>;

export interface Comparison {
  /** In what the runs were not asked the same. */
  differences: Difference[];
  /** Ids of the compared runs whose documents do not say what was asked of them. */
  askedNotKnown: string[];
  /** Ids of the runs that are on both sides, and so compared with themselves. */
  onBothSides: string[];
  a: Side;
  b: Side;
  measures: ComparedMeasure[];
  onlyA: MeasureSummary[];
  onlyB: MeasureSummary[];
  /** How often each check had which result; absent: nobody asked it on that side. */
  checks: { check: string; a?: CheckResults; b?: CheckResults }[];
}

/** Two runs, or two sets of runs. Pure. */
export function compareRuns(a: readonly RunDocument[], b: readonly RunDocument[]): Comparison {
  const [countedA, countedB] = [a.filter(counts), b.filter(counts)];
  const several = hasSeveralClusters([...a, ...b]);
  const of = (runs: readonly RunDocument[]) =>
    new Map(samplesOf(runs, several).map((samples) => [samples.measure, summarizeMeasure(samples)]));
  const [ofA, ofB] = [of(countedA), of(countedB)];
  const both = [...ofA.values()].flatMap((one) => {
    const other = ofB.get(one.measure);
    return other && other.unit === one.unit ? [compared(one, other)] : [];
  });
  const isCompared = ({ measure }: MeasureSummary) => both.some((pair) => pair.measure === measure);
  const [checksA, checksB] = [checksOf(countedA, several), checksOf(countedB, several)];
  return {
    differences: differencesBetween(countedA, countedB),
    askedNotKnown: askedNotKnown([...countedA, ...countedB]),
    onBothSides: countedA.map(idOf).filter((id) => countedB.map(idOf).includes(id)),
    a: sideOf(a),
    b: sideOf(b),
    measures: both,
    onlyA: [...ofA.values()].filter((summary) => !isCompared(summary)),
    onlyB: [...ofB.values()].filter((summary) => !isCompared(summary)),
    checks: [...new Set([...checksA.keys(), ...checksB.keys()])].map((check) => {
      const [resultsA, resultsB] = [checksA.get(check), checksB.get(check)];
      return { check, ...(resultsA && { a: resultsA }), ...(resultsB && { b: resultsB }) };
    }),
  };
}

const idOf = ({ experimentId }: RunDocument): string => experimentId;

function compared(a: MeasureSummary, b: MeasureSummary): ComparedMeasure {
  const [from, to] = [a.distribution, b.distribution];
  return {
    measure: a.measure,
    unit: a.unit,
    a: from,
    b: to,
    difference: to.p50 - from.p50,
    ratio: from.p50 === 0 ? null : to.p50 / from.p50,
  };
}

function sideOf(runs: readonly RunDocument[]): Side {
  return {
    runs: runs.filter(counts).map(idOf),
    leftOut: runs
      .filter((run) => !counts(run))
      .map(({ experimentId, status, outcome, reason }) => ({
        experimentId,
        status,
        outcome: outcome ?? null,
        reason: reason ?? null,
      })),
    outcomes: outcomesOf(runs),
  };
}

function checksOf(runs: readonly RunDocument[], several: boolean): Map<string, CheckResults> {
  const found = new Map<string, CheckResults>();
  for (const run of runs) {
    for (const { name, cluster, result } of run.checks ?? []) {
      const check = several ? `${name} of ${cluster ?? clustersOf(run).join(', ')}` : name;
      const results = found.get(check) ?? {};
      found.set(check, { ...results, [result]: (results[result] ?? 0) + 1 });
    }
  }
  return found;
}

/** `HELD`, or with several runs `HELD 58, FAILED 1`. */
export function checkText(results: CheckResults | undefined): string {
  if (results === undefined) return 'not asked';
  const found = CHECK_RESULTS.flatMap((result) => {
    const times = results[result];
    return times ? [{ result, times }] : [];
  });
  const [only] = found;
  if (found.length === 1 && only?.times === 1) return only.result;
  return found.map(({ result, times }) => `${result} ${times}`).join(', ');
}
