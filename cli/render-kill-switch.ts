import type { EngagedDocument, SwitchesDocument } from './kill-switch-documents.ts';
import { columns, type Paint, printable } from './render.ts';

/** What was done, step by step, and how to undo it. */
export function renderEngaged(document: EngagedDocument, paint: Paint): string[] {
  const { cluster, alreadyEngaged, recorded, steps } = document;
  const where = cluster ? ` of ${printable(cluster)}` : '';
  const failed = steps.some(({ outcome }) => outcome === 'FAILED');
  return [
    paint('bad', `The kill switch${where} ${alreadyEngaged ? 'was engaged already' : 'is engaged'}.`),
    'Hosts that have a fault revert within about a second, and nothing starts.',
    ...columns(
      steps.map(({ step, outcome, detail }) => [`  ${printable(step)}`, printable(outcome), printable(detail)]),
    ),
    ...(failed ? [paint('bad', 'What failed is not repeated by itself: engage it again, which does no harm.')] : []),
    ...(recorded ? [] : [paint('bad', 'The log did not answer: this is not on record.')]),
    `When every experiment is over: holdfast kill-switch re-arm${cluster ? ` --cluster ${printable(cluster)}` : ''} --reason TEXT`,
  ];
}

export function renderSwitches({ switches }: SwitchesDocument, paint: Paint): string[] {
  return switches.flatMap(({ cluster, engaged, engagement, lastReArmed }) => {
    const name = cluster ? printable(cluster) : 'all clusters';
    if (engaged) {
      const { by, at, reason } = engagement ?? {};
      return [
        paint('bad', `${name}: ENGAGED`),
        printable(
          `  by ${by ?? 'somebody, past the API'}, ${at ?? 'nobody knows when'}: ${reason ?? 'no reason given'}`,
        ),
      ];
    }
    const { by, at, reason } = lastReArmed ?? {};
    return [
      `${name}: armed, experiments may start`,
      ...(lastReArmed
        ? [printable(`  re-armed by ${by ?? 'somebody'}, ${at ?? 'nobody knows when'}: ${reason ?? ''}`)]
        : []),
    ];
  });
}
