import { bytesOf, cut, MAX_PROBLEM_BYTES, MAX_REASON_CHARACTERS } from './limits.ts';
import type { Problem } from './problem.ts';

/** Items of a list, and characters of a text: from all there is down to what always fits. */
const STEPS = [
  { items: 100, characters: MAX_REASON_CHARACTERS },
  { items: 50, characters: 400 },
  { items: 20, characters: 200 },
  { items: 5, characters: 100 },
] as const;

/** How many items of each list were left out, by the list's name. */
type LeftOut = Record<string, number>;

/**
 * As much of a refusal as fits into an answer and into the log: texts are cut and lists shortened, and `leftOut` says
 * by how many items. What fits is not changed.
 */
export function boundedProblem(problem: Problem, maxBytes: number = MAX_PROBLEM_BYTES): Problem {
  if (bytesOf(problem) <= maxBytes) return problem;
  for (const { items, characters } of STEPS) {
    const bounded = bound(problem, items, characters);
    if (bytesOf(bounded) <= maxBytes) return bounded;
  }
  const { type, title, status, detail } = problem;
  const others = Object.keys(problem).filter((field) => !['type', 'title', 'status', 'detail'].includes(field));
  return {
    type,
    title,
    status,
    detail: cut(detail, 100),
    leftOut: Object.fromEntries(others.map((field) => [field, 1])),
  };
}

function bound(problem: Problem, items: number, characters: number): Problem {
  const leftOut: LeftOut = {};
  const shorten = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') return cut(value, characters);
    if (Array.isArray(value)) {
      if (value.length > items) leftOut[name] = (leftOut[name] ?? 0) + value.length - items;
      return value.slice(0, items).map((item) => shorten(item, name));
    }
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shorten(inner, key)]));
  };
  const shortened = shorten(problem, '') as Problem;
  return Object.keys(leftOut).length === 0 ? shortened : { ...shortened, leftOut };
}
