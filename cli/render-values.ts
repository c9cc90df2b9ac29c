import type { ExperimentDocument } from './api-documents.ts';
import { printable, round } from './render.ts';

type Values = NonNullable<ExperimentDocument['probes']>[number]['values'];
type Example = NonNullable<NonNullable<NonNullable<Values>['examples']>[string]>[number];
type Written = Pick<Example, 'value' | 'through' | 'timestampUs'> & { acknowledgedAt?: string | null | undefined };

/** How a store that keeps one value a key lost an acknowledged write, or hid it; of other stores nothing. */
export function renderValues(values: Values): string {
  if (values == null) return '';
  const { overwritten, resurrected, stale } = values;
  const unacknowledged = Object.entries(values.unacknowledgedThrough ?? {}).map(
    ([node, count]) => `; ${count} through ${printable(node)} alone not acknowledged`,
  );
  return `, ${overwritten} of them overwritten by an earlier write, ${resurrected} resurrected; ${stale} hidden for a while${unacknowledged.join('')}`;
}

/** Of each the first ones, with what was read instead and both timestamps. */
export function renderValueExamples(values: Values, most: number): string[] {
  return Object.entries(values?.examples ?? {}).flatMap(([what, examples]) =>
    examples
      .slice(0, most)
      .map((example) => `    ${printable(what)}: ${printable(example.key)}: ${exampleText(example)}`),
  );
}

function exampleText({ instead, ...write }: Example): string {
  if (instead == null) return `${writtenText(write)}; nothing of ours is there`;
  const [own, other] = [write.timestampUs, instead.timestampUs];
  const apart = own == null || other == null ? '' : `, ${round((other - own) / 1000)} ms ahead of the other`;
  return `${writtenText(write)}; there is the earlier ${writtenText(instead)}${apart}`;
}

function writtenText({ value, through, acknowledgedAt, timestampUs }: Written): string {
  return [
    value == null ? 'removal' : printable(value),
    ...(through == null ? [] : [` through ${printable(through)}`]),
    ...(acknowledgedAt == null ? [] : [`, acknowledged ${printable(acknowledgedAt)}`]),
    ...(timestampUs == null ? [] : [`, timestamp ${timestampUs}`]),
  ].join('');
}
