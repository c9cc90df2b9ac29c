import { outcomesOf, outcomesText } from '../cli/runs/outcomes.ts';
import { counts, type RunDocument } from '../cli/runs/run-document.ts';
import { summarize } from '../cli/statistics/distribution.ts';
import { type Provenance, provenanceText } from './provenance.ts';
import { CASSANDRA } from './sections.ts';

export interface CassandraCampaign {
  example: string;
  /** Those that did not count too. */
  runs: readonly RunDocument[];
}

export interface CassandraResult extends Provenance {
  campaigns: readonly CassandraCampaign[];
}

/** What clients noticed, by the fault. */
export function renderCassandra({ campaigns, ...provenance }: CassandraResult): string {
  return [
    CASSANDRA.heading,
    '',
    `The last run of \`${CASSANDRA.command}\`: \`holdfast campaign\` with examples of Cassandra, in a lab of its own. Failed are writes of`,
    'the probe that nobody acknowledged, or that were not read back; a run counts when it ended as planned. The',
    'outcomes are those of every run, the ones that did not count too.',
    provenanceText(provenance),
    '',
    '| example | n | RTO min, s | p50 | max | failed writes, each run | of attempted | lost writes | outcomes |',
    '|---|---|---|---|---|---|---|---|---|',
    ...campaigns.map(rowOf),
    '',
  ].join('\n');
}

function rowOf({ example, runs: all }: CassandraCampaign): string {
  const runs = all.filter(counts);
  const times = runs.flatMap(({ budgets }) => measuredIn(budgets, 'rtoSeconds'));
  const lost = runs.flatMap(({ budgets }) => measuredIn(budgets, 'lostAcknowledgedWrites'));
  const rto = times.length === 0 ? undefined : summarize(times);
  const shown = [rto?.min, rto?.p50, rto?.max].map((seconds) => seconds?.toFixed(1) ?? '');
  const failed = runs.map(({ probes }) => sum((probes ?? []).map(({ failedWrites }) => failedWrites)));
  const acknowledged = runs.map(({ probes }) =>
    sum((probes ?? []).map(({ acknowledgedWrites }) => acknowledgedWrites)),
  );
  const attempted = sum([...failed, ...acknowledged]);
  const lostText = lost.length < runs.length ? 'not known' : String(sum(lost));
  const cells = [example, String(times.length), ...shown, failed.join(', '), String(attempted), lostText];
  return `| ${[...cells, outcomesText(outcomesOf(all))].join(' | ')} |`;
}

function measuredIn(budgets: RunDocument['budgets'], name: string): number[] {
  const measured = (budgets ?? []).filter((budget) => budget.name === name).map((budget) => budget.measured);
  return measured.filter((value) => typeof value === 'number');
}

function sum(counts: readonly (number | null | undefined)[]): number {
  return counts.reduce<number>((total, count) => total + (count ?? 0), 0);
}
