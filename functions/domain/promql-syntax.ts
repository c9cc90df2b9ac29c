import { parser } from '@prometheus-io/lezer-promql';

const MAX_READ_CHARACTERS = 20;

/**
 * Where a text stops being PromQL, by Prometheus's own grammar; undefined: it is PromQL. Whether a function gets what it takes
 * (a range, a scalar) only Prometheus judges.
 * @returns position, from 1, and what was read there
 */
export function syntaxProblem(promQl: string): string | undefined {
  let firstError: number | undefined;
  parser.parse(promQl).iterate({
    enter: ({ type, from }) => {
      if (type.isError) firstError ??= from;
    },
  });
  if (firstError === undefined) return undefined;
  const rest = promQl.slice(firstError).trimStart();
  const position = promQl.length - rest.length + 1;
  const read = rest.split(/\s/)[0]?.slice(0, MAX_READ_CHARACTERS);
  return `is no PromQL from position ${position} on: ${read ? `read ${read}` : 'it ends too early'}`;
}
