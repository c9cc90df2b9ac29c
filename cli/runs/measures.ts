import type { BudgetName } from '../../functions/domain/experiment.ts';
import { RECOVERY_PHASES } from '../../functions/domain/workflow.ts';
import type { RunDocument } from './run-document.ts';

/** One number of one run. */
export interface Measured {
  cluster: string;
  name: string;
  unit: string;
  /** Absent: it was not measured, or not on every shard, and there it may have been worse. */
  value?: number;
}

type Value = number | null | undefined;
type Probe = NonNullable<RunDocument['probes']>[number];

/**
 * Everything that was measured in a run. Of several shards of a cluster counts are added up, and of times the longest
 * is taken.
 */
export function measuresOf(run: RunDocument): Measured[] {
  return clustersOf(run).flatMap((cluster) => {
    const own = <T extends { cluster?: string | null | undefined }>(list: readonly T[] | null | undefined) =>
      (list ?? []).filter((item) => (item.cluster ?? cluster) === cluster);
    const measure = (name: string, unit: string, value: number | undefined): Measured => ({
      cluster,
      name,
      unit,
      ...(value === undefined ? {} : { value }),
    });
    const records = (run.records ?? run.record ?? []).filter((row) => row.target_cluster === cluster);
    return [
      ...own(run.budgets).map(({ name, measured }) =>
        measure(name, MEASURE_UNITS.get(name) ?? '', measured ?? undefined),
      ),
      ...PROBE_MEASURES.map(({ name, unit, of }) => measure(name, unit, of(own(run.probes)))),
      measure('baselineLatencyMs', 'ms', highest(records.map((row) => row.baseline_latency_ms))),
      measure('peakLatencyMs', 'ms', highest(records.map((row) => row.peak_latency_ms))),
      ...own(run.checks).flatMap(({ name, unit, measured, heldAfterSeconds }) => [
        measure(`check ${name}`, unit, measured ?? undefined),
        measure(`check ${name} held after`, 's', heldAfterSeconds ?? undefined),
      ]),
    ];
  });
}

export function clustersOf(run: RunDocument): string[] {
  const named = [...(run.budgets ?? []), ...(run.probes ?? []), ...(run.experiment?.faults ?? [])];
  const recorded = (run.records ?? run.record ?? []).map((row) => row.target_cluster);
  return [...new Set([...named.map(({ cluster }) => cluster), ...recorded])].sort();
}

const BUDGET_UNITS: Readonly<Record<BudgetName, string>> = {
  rtoSeconds: 's',
  unavailableSeconds: 's',
  lostAcknowledgedWrites: 'writes',
};

interface ProbeMeasure {
  name: string;
  unit: string;
  of(probes: readonly Probe[]): number | undefined;
}

/** What a client of the impacted shards saw. */
const PROBE_MEASURES: readonly ProbeMeasure[] = [
  counted('acknowledgedWrites', 'writes', (probe) => probe.acknowledgedWrites),
  counted('failedWrites', 'writes', (probe) => probe.failedWrites),
  counted('staleReads', 'reads', (probe) => probe.staleReads),
  counted('duplicatedRecords', 'records', ({ records }) => records?.duplicated),
  counted('reorderedRecords', 'records', ({ records }) => records?.reordered),
  counted('overwrittenWrites', 'writes', ({ values }) => values?.overwritten),
  counted('resurrectedWrites', 'writes', ({ values }) => values?.resurrected),
  counted('unacknowledgedWrites', 'writes', ({ values }) => sumOf(values?.unacknowledgedThrough)),
  worst('lossSpanSeconds', 's', (probe) => (probe.records ?? probe.values ?? probe).lossSpanSeconds),
  counted('failedReads', 'reads', (probe) => probe.latency?.readMs?.failed),
  ...RECOVERY_PHASES.map((phase) =>
    worst(nameOfPhase(phase), 's', ({ phases }) => phases?.find((seen) => seen.phase === phase)?.secondsAfterFault),
  ),
  ...(['write', 'read', 'consumerLag'] as const).flatMap((kind) =>
    (['p50', 'p90', 'p99', 'max'] as const).map((part) =>
      worst(`${kind}${capitalized(part)}Ms`, 'ms', ({ latency }) => latency?.[`${kind}Ms`]?.[part]),
    ),
  ),
];

/** Measures that a run may have, whatever its checks: name and unit. */
export const MEASURE_UNITS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(BUDGET_UNITS),
  ...PROBE_MEASURES.map(({ name, unit }): [string, string] => [name, unit]),
  ['baselineLatencyMs', 'ms'],
  ['peakLatencyMs', 'ms'],
]);

function counted(name: string, unit: string, select: (probe: Probe) => Value): ProbeMeasure {
  return { name, unit, of: (probes) => combine(probes.map(select), (known) => known.reduce((sum, n) => sum + n, 0)) };
}

function worst(name: string, unit: string, select: (probe: Probe) => Value): ProbeMeasure {
  return { name, unit, of: (probes) => highest(probes.map(select)) };
}

function sumOf(counts: Readonly<Record<string, number>> | null | undefined): Value {
  return counts == null ? undefined : Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** `CLIENTS_RECOVERED` → `clientsRecoveredSeconds`: seconds after the fault. */
function nameOfPhase(phase: string): string {
  const camel = phase.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return `${camel}Seconds`;
}

function highest(values: readonly Value[]): number | undefined {
  return combine(values, (known) => Math.max(...known));
}

function combine(values: readonly Value[], how: (known: readonly number[]) => number): number | undefined {
  const known = values.filter((value) => typeof value === 'number');
  return known.length === 0 || known.length < values.length ? undefined : how(known);
}
