import { type Provenance, provenanceText } from './provenance.ts';
import { NIGHTLY } from './sections.ts';

export interface NightlyResult extends Provenance {
  seconds: number;
  tiers: readonly { tier: string; passed: number; failed: number; skipped: number; seconds: number; notRun?: string }[];
}

export function renderNightly({ seconds, tiers, ...provenance }: NightlyResult): string {
  const rows = tiers.map(({ tier, passed, failed, skipped, seconds: took, notRun }) =>
    notRun
      ? `| ${tier} | not run: ${notRun} | | | |`
      : `| ${tier} | ${passed} | ${failed} | ${skipped} | ${took.toFixed(0)} |`,
  );
  return [
    NIGHTLY.heading,
    '',
    `The last run of \`${NIGHTLY.command}\`, ${(seconds / 60).toFixed(0)} minutes. ${provenanceText(provenance)}`,
    '',
    '| tier | passed | failed | skipped | s |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
