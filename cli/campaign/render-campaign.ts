import { columns, type Paint, printable, round } from '../render.ts';
import { latencyNote } from '../runs/latency-note.ts';
import { outcomesText } from '../runs/outcomes.ts';
import type { Claim } from '../statistics/claim.ts';
import { ASSUMPTION, type CampaignDocument } from './campaign-document.ts';
import type { CampaignEvaluation } from './evaluate.ts';

export function renderCampaign(document: CampaignDocument, paint: Paint): string[] {
  const { campaign, runsAsked, runs, endedEarly, outcomes, measures, noClaimsBecause } = document;
  return [
    `${paint('bold', printable(campaign))}: ${runs.length} of ${runsAsked} runs; ${printable(outcomesText(outcomes))}`,
    ...(endedEarly === null ? [] : [paint('bad', `  ended early: ${printable(endedEarly)}`)]),
    ...(measures.length === 0
      ? []
      : columns([
          ['measure', 'unit', 'n', 'min', 'p50', 'max'],
          ...measures.map(({ measure, unit, n, min, p50, max }) => [
            ...[measure, unit].map(printable),
            String(n),
            ...[min, p50, max].map(round),
          ]),
        ])),
    ...latencyNote(measures.map(({ unit, ...distribution }) => ({ unit, distribution }))),
    ...renderClaims(document).map((line) => (noClaimsBecause === null ? line : paint('bad', line))),
    ...(document.claims.length === 0 ? [] : [paint('dim', ASSUMPTION)]),
  ];
}

/** A line for each percentile that may be claimed, and one for what those take that may not yet; or why none may. */
export function renderClaims({
  claims,
  noClaimsBecause,
}: Pick<CampaignEvaluation, 'claims' | 'noClaimsBecause'>): string[] {
  if (noClaimsBecause !== null) return [printable(`nothing may be claimed: ${noClaimsBecause}`)];
  return [...new Set(claims.map(({ measure }) => measure))].flatMap((measure) => {
    const own = claims.filter((each) => each.measure === measure);
    const [unit = ''] = own.map((each) => each.unit);
    const withUnit = (number: string) => `${number} ${printable(unit)}`.trimEnd();
    const limitOf = ({ percentile, limit }: Claim) => `P${percentile} ≤ ${withUnit(String(limit))}`;
    const claimable = own.filter((each) => each.claimable);
    const [first, ...others] = own.filter((each) => !each.claimable);
    const proved = claimable.map(
      (each) =>
        `${printable(measure)} ${limitOf(each)}: may be claimed, ${each.runsWithin} of ${each.runs} runs within it` +
        `${each.upperBound === undefined ? '' : `; the lowest limit that may is ${withUnit(roundedUp(each.upperBound))}`}`,
    );
    if (!first) return proved;
    const { runs, runsWithin } = first;
    const seen = runsWithin === runs ? `${runs} runs` : `${runs} runs, ${runs - runsWithin} of them not within it`;
    const needed = others.map(({ percentile, runsNeeded }) => `; P${percentile}: ${runsNeeded}`).join('');
    return [
      ...proved,
      `${printable(measure)} ${limitOf(first)}: not yet claimable with ${seen}, ${first.runsNeeded} needed${needed}`,
    ];
  });
}

/** As short as `round`, and never less than the value: of a lower limit nothing was shown. */
function roundedUp(value: number): string {
  const text = round(value);
  if (Number(text) >= value) return text;
  const digits = text.split('.')[1]?.length ?? 0;
  return (Number(text) + 10 ** -digits).toFixed(digits);
}
