import type { Sample } from '../statistics/claim.ts';
import { type Distribution, summarize } from '../statistics/distribution.ts';
import { clustersOf, measuresOf } from './measures.ts';
import { counts, type RunDocument } from './run-document.ts';

export interface MeasureSummary {
  measure: string;
  unit: string;
  /** Of the runs that count and have it. */
  distribution: Distribution;
}

export interface MeasureSamples {
  /** The name, with its cluster behind it where there are several. */
  measure: string;
  name: string;
  cluster: string;
  unit: string;
  /** One a run, in their order; undefined where it was not measured, or the run does not count. */
  samples: Sample[];
}

/** Whether names of measures need their cluster behind them: not when every run has the only one. */
export function hasSeveralClusters(runs: readonly RunDocument[]): boolean {
  return runs.some((run) => clustersOf(run).length > 1);
}

/** Every measure that at least one run that counts has, in the order in which they are found first. */
export function samplesOf(runs: readonly RunDocument[], withCluster: boolean): MeasureSamples[] {
  const found = new Map<string, MeasureSamples>();
  for (const [position, run] of runs.entries()) {
    if (!counts(run)) continue;
    for (const { cluster, name, unit, value } of measuresOf(run)) {
      if (value === undefined || !Number.isFinite(value)) continue;
      const measure = withCluster ? `${name} of ${cluster}` : name;
      const samples = found.get(measure)?.samples ?? runs.map((): Sample => undefined);
      samples[position] = value;
      found.set(measure, { measure, name, cluster, unit, samples });
    }
  }
  return [...found.values()];
}

export function summarizeMeasure({ measure, unit, samples }: MeasureSamples): MeasureSummary {
  return { measure, unit, distribution: summarize(samples.filter((value) => value !== undefined)) };
}
