/** The section of docs/benchmarks.md that `npm run test:nightly` writes, and `npm run bench` leaves as it is. */
const HEADING = '## Nightly tests';

export interface NightlyResult {
  machine: string;
  date: string;
  commit: string;
  seconds: number;
  tiers: readonly { tier: string; passed: number; failed: number; skipped: number; seconds: number; notRun?: string }[];
}

export const NO_NIGHTLY = `${HEADING}

Not run yet. \`npm run test:nightly\` writes its result here.
`;

export function renderNightly({ machine, date, commit, seconds, tiers }: NightlyResult): string {
  const rows = tiers.map(({ tier, passed, failed, skipped, seconds: took, notRun }) =>
    notRun
      ? `| ${tier} | not run: ${notRun} | | | |`
      : `| ${tier} | ${passed} | ${failed} | ${skipped} | ${took.toFixed(0)} |`,
  );
  return [
    HEADING,
    '',
    `The last run of \`npm run test:nightly\`, ${(seconds / 60).toFixed(0)} minutes. Machine: ${machine}. Date: ${date}. Commit: ${commit}.`,
    '',
    '| tier | passed | failed | skipped | s |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** The section as it stands in a document, up to the next heading; empty when there is none. */
export function nightlyOf(document: string): string {
  const start = document.indexOf(`${HEADING}\n`);
  if (start < 0) return '';
  const next = document.indexOf('\n## ', start);
  return document.slice(start, next < 0 ? undefined : next + 1);
}

/** @param section empty: none is known. */
export function withNightly(document: string, section: string): string {
  return `${document.trimEnd()}\n\n${section === '' ? NO_NIGHTLY : section.trimEnd()}\n`.replace(/\n+$/, '\n');
}
