import type { CampaignDocument } from '../cli/campaign/campaign-document.ts';
import { round } from '../cli/render.ts';
import { outcomesText } from '../cli/runs/outcomes.ts';
import { type Provenance, provenanceText } from './provenance.ts';
import { BESIDE } from './sections.ts';

export interface BesideRun {
  engines: readonly string[];
  /** Of the whole lab, its traffic measured. */
  startSeconds: number;
  document: CampaignDocument;
}

export interface BesideResult extends Provenance {
  alone: BesideRun;
  beside: BesideRun;
}

const SHOWN = ['rtoSeconds', 'detectedSeconds', 'electedSeconds', 'lostAcknowledgedWrites'];

/** What other engines in the same lab cost a failover. */
export function renderBeside({ alone, beside, ...provenance }: BesideResult): string {
  const rows = SHOWN.flatMap((name) => [alone, beside].flatMap((run) => rowsOf(run, name)));
  const ratio = medianRto(beside) / medianRto(alone);
  return [
    BESIDE.heading,
    '',
    `The last run of \`${BESIDE.command}\`: \`holdfast campaign\` isolates the master of the canary shard in a lab of Redis alone, and in`,
    'one of all engines, with [a third of the traffic](../lab/README.md#engines): the ratio shows what both come to.',
    ...[alone, beside].map(
      ({ engines, startSeconds, document }) =>
        `${engines.join(', ')}: up after ${startSeconds.toFixed(0)} s; ${outcomesText(document.outcomes)}.`,
    ),
    provenanceText(provenance),
    '',
    '| measure | unit | engines | n | min | p50 | p90 | max |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    `Beside the others the median RTO is ${ratio.toFixed(2)} of what it is alone (promised: 0.90 to 1.10).`,
    '',
  ].join('\n');
}

function rowsOf({ engines, document }: BesideRun, name: string): string[] {
  return document.measures
    .filter(({ measure }) => measure === name)
    .map(({ measure, unit, n, min, p50, p90, max }) =>
      ['', measure, unit, engines.join(', '), String(n), ...[min, p50, p90, max].map(round), ''].join(' | ').trim(),
    );
}

function medianRto({ document }: BesideRun): number {
  return document.measures.find(({ measure }) => measure === 'rtoSeconds')?.p50 ?? Number.NaN;
}
