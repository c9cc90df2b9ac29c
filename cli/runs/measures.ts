import { BUDGETS } from '../../functions/domain/experiment.ts';
import { type LatencyPercentiles, PHASES, type RunDocument } from './run-document.ts';

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
      ...own(run.budgets).map(({ name, measured }) => measure(name, unitOf(name), measured ?? undefined)),
      ...probeMeasures(own(run.probes)).map(([name, unit, value]) => measure(name, unit, value)),
      measure('baselineLatencyMs', 'ms', highest(records.map((row) => row.baseline_latency_ms))),
      measure('peakLatencyMs', 'ms', highest(records.map((row) => row.peak_latency_ms))),
      ...own(run.checks).map((check) => measure(`check ${check.name}`, check.unit, check.measured ?? undefined)),
    ];
  });
}

export function clustersOf(run: RunDocument): string[] {
  const named = [...(run.budgets ?? []), ...(run.probes ?? []), ...(run.experiment?.faults ?? [])];
  const recorded = (run.records ?? run.record ?? []).map((row) => row.target_cluster);
  return [...new Set([...named.map(({ cluster }) => cluster), ...recorded])].sort();
}

const UNITS: Readonly<Record<(typeof BUDGETS)[number], string>> = {
  rtoSeconds: 's',
  unavailableSeconds: 's',
  lostAcknowledgedWrites: 'writes',
};

function unitOf(name: string): string {
  const budget = BUDGETS.find((known) => known === name);
  return budget ? UNITS[budget] : '';
}

function probeMeasures(probes: readonly Probe[]): [name: string, unit: string, value: number | undefined][] {
  const times = (of: 'writeMs' | 'readMs', select: (latency: NonNullable<LatencyPercentiles>) => Value) =>
    highest(
      probes.map(({ latency }) => {
        const seen = latency?.[of];
        return seen ? select(seen) : undefined;
      }),
    );
  return [
    ['acknowledgedWrites', 'writes', total(probes.map((probe) => probe.acknowledgedWrites))],
    ['failedWrites', 'writes', total(probes.map((probe) => probe.failedWrites))],
    ['failedReads', 'reads', total(probes.map((probe) => probe.latency?.readMs?.failed))],
    ...PHASES.map((phase): [string, string, number | undefined] => [
      nameOfPhase(phase),
      's',
      highest(probes.map(({ phases }) => phases?.find((seen) => seen.phase === phase)?.secondsAfterFault)),
    ]),
    ...(['write', 'read'] as const).flatMap((kind): [string, string, number | undefined][] => [
      [`${kind}P50Ms`, 'ms', times(`${kind}Ms`, ({ p50 }) => p50)],
      [`${kind}P90Ms`, 'ms', times(`${kind}Ms`, ({ p90 }) => p90)],
      [`${kind}P99Ms`, 'ms', times(`${kind}Ms`, ({ p99 }) => p99)],
      [`${kind}MaxMs`, 'ms', times(`${kind}Ms`, ({ max }) => max)],
    ]),
  ];
}

/** `CLIENTS_RECOVERED` → `clientsRecoveredSeconds`: seconds after the fault. */
function nameOfPhase(phase: string): string {
  const camel = phase.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return `${camel}Seconds`;
}

function highest(values: readonly Value[]): number | undefined {
  return combine(values, (known) => Math.max(...known));
}

function total(values: readonly Value[]): number | undefined {
  return combine(values, (known) => known.reduce((sum, value) => sum + value, 0));
}

function combine(values: readonly Value[], how: (known: readonly number[]) => number): number | undefined {
  const known = values.filter((value) => typeof value === 'number');
  return known.length === 0 || known.length < values.length ? undefined : how(known);
}
