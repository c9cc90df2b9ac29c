import type { CampaignDocument } from '../cli/campaign/campaign-document.ts';
import { renderClaims } from '../cli/campaign/render-campaign.ts';
import { round } from '../cli/render.ts';
import { outcomesText } from '../cli/runs/outcomes.ts';
import { type Provenance, provenanceText } from './provenance.ts';
import { FAILOVERS } from './sections.ts';

export interface FailoversResult extends Provenance {
  seconds: number;
  document: CampaignDocument;
}

/** What tells of the failover; the rest of what was measured is mostly the machine's. */
const SHOWN = [
  'rtoSeconds',
  'unavailableSeconds',
  'lostAcknowledgedWrites',
  'failedWrites',
  'detectedSeconds',
  'electedSeconds',
  'clientsRecoveredSeconds',
  'fullyReplicatedSeconds',
];

/** What the client of the shard saw, and what may be claimed of it. */
export function renderFailovers({ seconds, document, ...provenance }: FailoversResult): string {
  const { runs, outcomes, measures, assumption } = document;
  const durations = new Set(runs.flatMap(({ experiment }) => experiment?.durationSeconds ?? []));
  return [
    FAILOVERS.heading,
    '',
    `The last run of \`${FAILOVERS.command}\`, ${(seconds / 60).toFixed(0)} minutes: \`holdfast campaign\` isolates the master of the`,
    `canary shard for ${[...durations].join(' or ')} s, ${runs.length} times, each time the node that is master then.`,
    `Outcomes: ${outcomesText(outcomes)}. ${provenanceText(provenance)}`,
    '',
    '| measure | unit | n | min | p50 | p90 | max |',
    '|---|---|---|---|---|---|---|',
    ...measures
      .filter(({ measure }) => SHOWN.includes(measure))
      .map(({ measure, unit, n, min, p50, p90, max }) =>
        ['', measure, unit, String(n), ...[min, p50, p90, max].map(round), ''].join(' | ').trim(),
      ),
    '',
    ...renderClaims(document).map((line) => `- ${line}`),
    '',
    `${assumption} All of them ran on one machine, one after the other.`,
    '',
  ].join('\n');
}
