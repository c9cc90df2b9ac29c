import { summarize } from '../cli/statistics/distribution.ts';
import { type CostLine, PRICES, PRICES_AS_OF, PRICES_REGION } from './prices.ts';
import { type Provenance, provenanceText } from './provenance.ts';

export interface Measurement {
  name: string;
  unit: string;
  values: readonly number[];
  /** What the numbers are compared with, if something was promised. */
  promised?: string;
}

export interface BundleSize {
  name: string;
  gzipBytes: number;
}

export interface BenchResult extends Provenance {
  measurements: readonly Measurement[];
  bundles: readonly BundleSize[];
  cost: readonly CostLine[];
  /** What could not be measured, and why: said, never left out. */
  failures: readonly string[];
}

/** `docs/benchmarks.md`. */
export function renderReport(result: BenchResult): string {
  const total = result.cost.reduce((sum, line) => sum + line.dollars, 0);
  return `${[
    '# Benchmarks',
    '',
    'Written by `npm run bench` against a running lab. Faults are observed by connections from a neighbour of the faulted',
    'host every 50 ms, never by what the control plane reports. Percentiles are nearest-rank.',
    '',
    provenanceText(result),
    '',
    '| what | unit | n | min | p50 | p90 | max | promised |',
    '|---|---|---|---|---|---|---|---|',
    ...result.measurements.map(renderMeasurement),
    '',
    '## Bundles',
    '',
    '| function | gzip, kB |',
    '|---|---|',
    ...result.bundles.map(({ name, gzipBytes }) => `| ${name} | ${(gzipBytes / 1000).toFixed(0)} |`),
    '',
    '## Cost of one experiment of 60 s',
    '',
    `Counted calls at list prices of ${PRICES_REGION} as of ${PRICES_AS_OF}, without free tiers: **$${total.toFixed(4)}**.`,
    '',
    '| item | quantity | price | $ |',
    '|---|---|---|---|',
    ...result.cost.map(({ item, quantity, dollars }) => {
      const { dollars: price, per, unit } = PRICES[item];
      return `| ${item} | ${Math.round(quantity * 10) / 10} | $${price} per ${per} ${unit} | ${dollars.toFixed(6)} |`;
    }),
    ...(result.failures.length > 0
      ? ['', '## Not measured', '', ...result.failures.map((failure) => `- ${failure}`)]
      : []),
  ].join('\n')}\n`;
}

export function renderMeasurement({ name, unit, values, promised }: Measurement): string {
  const cells =
    values.length === 0
      ? ['0', '', '', '', '']
      : (({ n, min, p50, p90, max }) => [String(n), ...[min, p50, p90, max].map((value) => value.toFixed(2))])(
          summarize(values),
        );
  return `| ${name} | ${unit} | ${cells.join(' | ')} | ${promised ?? ''} |`;
}
