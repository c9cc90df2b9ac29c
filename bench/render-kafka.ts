import type { CampaignDocument } from '../cli/campaign/campaign-document.ts';
import { outcomesOf, outcomesText } from '../cli/runs/outcomes.ts';
import { counts, type RunDocument } from '../cli/runs/run-document.ts';
import { summarize } from '../cli/statistics/distribution.ts';
import { rolesOf } from '../cli/target-node.ts';
import { type Provenance, provenanceText } from './provenance.ts';
import { renderMeasurement } from './report.ts';
import { KAFKA } from './sections.ts';

export interface KafkaCampaign {
  example: string;
  /** `broker.session.timeout.ms` of the brokers. */
  sessionMs: number;
  document: CampaignDocument;
}

export interface KafkaResult extends Provenance {
  campaigns: readonly KafkaCampaign[];
  /** Of the function that watches three partitions, one value a second. Per cent of a core. */
  probeCpuPct: readonly number[];
}

/** How long a client waited, by the fault and by what the broker was. */
export function renderKafka({ campaigns, probeCpuPct, ...provenance }: KafkaResult): string {
  return [
    KAFKA.heading,
    '',
    `The last run of \`${KAFKA.command}\`: \`holdfast campaign\` with examples of Kafka, in labs of their own. The RTO is that of the`,
    'worst partition that the broker led, or had a copy of, as the probe saw it; a run counts when it ended as planned, and a',
    'campaign ends with the first that is aborted.',
    provenanceText(provenance),
    '',
    '| example | session, s | the broker was | n | RTO min, s | p50 | max | lost writes | outcomes |',
    '|---|---|---|---|---|---|---|---|---|',
    ...campaigns.flatMap(rowsOf),
    '',
    '| what | unit | n | min | p50 | p90 | max | promised |',
    '|---|---|---|---|---|---|---|---|',
    renderMeasurement({ name: 'CPU of the probe, each second', unit: '% of a core', values: [...probeCpuPct] }),
    '',
  ].join('\n');
}

/** A row for each set of roles that the broker had. */
function rowsOf({ example, sessionMs, document }: KafkaCampaign): string[] {
  return [...Map.groupBy(document.runs, rolesText)].map(([roles, group]) => {
    const runs = group.filter(counts);
    const times = measured(runs, 'rtoSeconds');
    const lost = measured(runs, 'lostAcknowledgedWrites');
    const rto = times.length === 0 ? undefined : summarize(times);
    const shown = [rto?.min, rto?.p50, rto?.max].map((seconds) => seconds?.toFixed(1) ?? '');
    const lostText = lost.length < runs.length ? 'not known' : String(lost.reduce((sum, count) => sum + count, 0));
    const cells = [example, String(sessionMs / 1000), roles, String(times.length), ...shown, lostText];
    return `| ${[...cells, outcomesText(outcomesOf(group))].join(' | ')} |`;
  });
}

function measured(runs: readonly RunDocument[], name: string): number[] {
  const budgets = runs.flatMap((run) => (run.budgets ?? []).filter((budget) => budget.name === name));
  return budgets.map((budget) => budget.measured).filter((value) => typeof value === 'number');
}

function rolesText({ targets }: RunDocument): string {
  const roles = (targets ?? []).flatMap(({ impacted }) => impacted.flatMap(rolesOf)).map(({ role }) => role);
  const told = ['leader', 'controller'].filter((role) => roles.includes(role));
  return told.length === 0 ? 'follower' : told.join(' and ');
}
