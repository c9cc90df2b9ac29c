import * as z from 'zod';

/** Fields that several kinds share, with what they may hold in words. */
export const MAX_NODES = 100;

/** With the colon and port that stand behind the name of an instance with several stores. */
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;
export const nodeNames = z
  .array(z.string().regex(NODE_NAME, 'is not a node name'))
  .min(1, 'is empty')
  .max(MAX_NODES, `has more than ${MAX_NODES} nodes`)
  .refine((names) => new Set(names).size === names.length, 'names a node twice');
export const NODE_LIST = `1-${MAX_NODES} different node names`;

export const availabilityZone = z.string().regex(/^[a-z0-9-]{3,40}$/, 'is not an availability zone');

export const MEBIBYTE = 1024 ** 2;
export const GIBIBYTE = 1024 ** 3;
/** More than any volume or memory: the host decides what fits. */
export const MAX_BYTES = 64 * 1024 * GIBIBYTE;

export const percent = (minimum: 0 | 1, maximum = 100) => z.int().min(minimum).max(maximum);

export function wholeNumber(minimum: number, maximum: number): string {
  return `a whole number from ${minimum} to ${maximum}`;
}

/** What two fields together may not say; `.refine(...rule)`. Also asked when another field is wrong: one answer names everything. */
export type Rule = [
  check: (parameters: Record<string, unknown>) => boolean,
  terms: { path: string[]; message: string; when: (payload: { value: unknown }) => boolean },
];

export function rule(
  path: string,
  message: string,
  check: Rule[0],
  when: (value: Record<string, unknown>) => boolean,
): Rule {
  return [check, { path: [path], message, when: ({ value }) => isRecord(value) && when(value) }];
}

/** An amount is given in one of two ways. */
export function exactlyOne(first: string, second: string): Rule {
  return rule(
    first,
    `is needed, or ${second}, and not both`,
    (parameters) => (parameters[first] === undefined) !== (parameters[second] === undefined),
    () => true,
  );
}

export function disjoint(path: string, other: string): Rule {
  return rule(
    path,
    `names a node that is in ${other}`,
    (parameters) => !listOf(parameters[path]).some((name) => listOf(parameters[other]).includes(name)),
    (value) => Array.isArray(value[path]) && Array.isArray(value[other]),
  );
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Patterns of document parameters. They give the form; the host checks ranges once more. RE2 takes no count above 1000,
 * so lists are unbounded.
 */
const ADDRESS = '[0-9A-Fa-f:.]+';
export const PATTERN = {
  addresses: `${ADDRESS}(,${ADDRESS})*`,
  percent: '([1-9]|[1-9][0-9]|100)',
  percentOrZero: '([0-9]|[1-9][0-9]|100)',
  yesOrNo: '(yes|no)',
  /** Whole number in a range, without leading zeros. */
  wholeNumber: (minimum: number, maximum: number) => `(${rangeAlternatives(minimum, maximum).join('|')})`,
  /** Whole number of at most so many digits, without leading zeros. */
  digits: (most: number) => (most === 1 ? '[0-9]' : `(0|[1-9][0-9]{0,${most - 1}})`),
  /** Same characters as `dataDirectory` of the configuration, without `{port}`. */
  path: '(/[A-Za-z0-9._-]+)+',
} as const;

export function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** Regular expressions for the whole numbers from `minimum` (0 or more) to `maximum`. */
function rangeAlternatives(minimum: number, maximum: number): string[] {
  const [low, high] = [String(minimum), String(maximum)];
  if (low.length === high.length) return sameLength(low, high);
  const longestOfLow = '9'.repeat(low.length);
  return [...sameLength(low, longestOfLow), ...rangeAlternatives(10 ** low.length, maximum)];
}

/** The same for two numbers with as many digits. */
function sameLength(low: string, high: string): string[] {
  const [first = '', last = ''] = [low[0], high[0]];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  if (lowRest === '') return [first === last ? first : `[${first}-${last}]`];
  if (first === last) return sameLength(lowRest, highRest).map((rest) => `${first}${rest}`);
  const [zeros, nines] = ['0'.repeat(lowRest.length), '9'.repeat(lowRest.length)];
  const head = lowRest === zeros ? [] : sameLength(lowRest, nines).map((rest) => `${first}${rest}`);
  const tail = highRest === nines ? [] : sameLength(zeros, highRest).map((rest) => `${last}${rest}`);
  const from = Number(first) + (head.length > 0 ? 1 : 0);
  const to = Number(last) - (tail.length > 0 ? 1 : 0);
  const middle = from > to ? [] : [`${from === to ? from : `[${from}-${to}]`}${`[0-9]{${lowRest.length}}`}`];
  return [...head, ...middle, ...tail];
}
