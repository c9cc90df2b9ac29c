import { columns, type Paint, printable, round } from '../render.ts';
import type { MeasureSummary } from '../runs/distributions.ts';
import { latencyNote } from '../runs/latency-note.ts';
import { outcomesText } from '../runs/outcomes.ts';
import type { Distribution } from '../statistics/distribution.ts';
import { type Comparison, checkText, type Side } from './compare.ts';

/** What a comparison says to a person; of a set the median, with the lowest and the highest value behind it. */
export function renderComparison(comparison: Comparison, paint: Paint): string[] {
  const { a, b, measures, checks } = comparison;
  return [
    ...renderSide('A', a, paint),
    ...renderSide('B', b, paint),
    ...(comparison.onBothSides.length === 0
      ? []
      : [paint('bad', `On both sides, compared with itself: ${shown(comparison.onBothSides, ', ')}`)]),
    ...(a.runs.length > 0 && b.runs.length > 0 ? renderDifferences(comparison, paint) : []),
    '',
    ...(measures.length === 0
      ? ['No measure is known of both sides.']
      : columns([
          ['measure', 'unit', 'A', 'B', 'B - A', 'B / A'],
          ...measures.map((one) => [
            printable(one.measure),
            printable(one.unit),
            cell(one.a),
            cell(one.b),
            `${one.difference > 0 ? '+' : ''}${round(one.difference)}`,
            one.ratio === null ? '' : round(one.ratio),
          ]),
        ])),
    ...(measures.some((one) => one.a.n > 1 || one.b.n > 1)
      ? ['Of several runs: median (lowest-highest), n runs; of an even number the lower one of the two in the middle.']
      : []),
    ...latencyNote([
      ...measures.flatMap(({ unit, a: ofA, b: ofB }) => [ofA, ofB].map((distribution) => ({ unit, distribution }))),
      ...comparison.onlyA,
      ...comparison.onlyB,
    ]),
    ...renderOnly('A', comparison.onlyA),
    ...renderOnly('B', comparison.onlyB),
    ...(checks.length === 0
      ? []
      : [
          '',
          ...columns([
            ['check', 'A', 'B'],
            ...checks.map(({ check, a: ofA, b: ofB }) => [printable(check), checkText(ofA), checkText(ofB)]),
          ]),
        ]),
  ];
}

function renderSide(name: string, { runs, leftOut, outcomes }: Side, paint: Paint): string[] {
  const ids = runs.length > 4 ? [...runs.slice(0, 3), `… ${runs.at(-1)}`] : runs;
  return [
    `${paint('bold', name)}: ${runs.length === 1 ? '1 run' : `${runs.length} runs`}` +
      `${ids.length > 0 ? ` (${ids.map(printable).join(', ')})` : ''}; ${printable(outcomesText(outcomes))}`,
    ...leftOut.map(({ experimentId, status, outcome, reason }) => {
      const ended = [status, ...(outcome ? [outcome] : [])].map(printable).join(', ');
      return paint(
        'bad',
        `  not compared: ${printable(experimentId)} (${ended})${reason ? `: ${printable(reason)}` : ''}`,
      );
    }),
  ];
}

function renderDifferences({ differences, askedNotKnown }: Comparison, paint: Paint): string[] {
  const notKnown =
    askedNotKnown.length === 0 ? [] : [paint('bad', `What was asked is not known of ${shown(askedNotKnown, ', ')}.`)];
  if (differences.length === 0) return notKnown.length === 0 ? ['Both sides were asked the same.'] : notKnown;
  return [
    ...notKnown,
    paint(
      'bad',
      differences.length === 1
        ? 'They differ in one thing:'
        : 'They differ in more than one thing; nothing shows which of them made the difference:',
    ),
    ...differences.map(({ what, a, b }) => `  ${printable(what)}: A ${shown(a, ' or ')}; B ${shown(b, ' or ')}`),
  ];
}

function shown(values: readonly string[], separator: string): string {
  return values.map(printable).join(separator);
}

function renderOnly(name: string, summaries: readonly MeasureSummary[]): string[] {
  if (summaries.length === 0) return [];
  const found = summaries.map(
    ({ measure, unit, distribution }) => `${printable(measure)} ${cell(distribution)} ${printable(unit)}`,
  );
  return [`Only ${name} has: ${found.join('; ')}`];
}

function cell({ n, min, p50, max }: Distribution): string {
  return n === 1 ? round(p50) : `${round(p50)} (${round(min)}-${round(max)}), n ${n}`;
}
