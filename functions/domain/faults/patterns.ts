/**
 * Patterns of document parameters, each of the whole text. SSM's Java and the agent's RE2 read them, and Python on the
 * host: no look-around, and no count above 1000, also nested, so long lists are unbounded.
 */
const ADDRESS = '[0-9A-Fa-f:.]+';
export const PATTERN = {
  addresses: `${ADDRESS}(,${ADDRESS})*`,
  /** Whole number in a range that begins at 0 or above, without leading zeros. */
  wholeNumber: (minimum: number, maximum: number) => `(${rangeAlternatives(minimum, maximum).join('|')})`,
  /** One of these words. */
  oneOf: (words: readonly string[]) => `(${words.join('|')})`,
  /** So many at most, one at least, with commas between them. */
  list: (item: string, most: number) => `${item}(,${item}){0,${most - 1}}`,
  /** Same characters as `dataDirectory` of the configuration, without `{port}`. */
  path: '(/[A-Za-z0-9._-]+)+',
} as const;

/** A parameter of a document: its pattern is of the whole text. */
export function anchored(pattern: string): string {
  return `^${pattern}$`;
}

function rangeAlternatives(minimum: number, maximum: number): string[] {
  const [low, high] = [String(minimum), String(maximum)];
  if (low.length === high.length) return sameLength(low, high);
  const between = high.length - low.length > 1 ? [`[1-9]${digits(low.length, high.length - 2)}`] : [];
  return [
    ...sameLength(low, '9'.repeat(low.length)),
    ...between,
    ...sameLength(`1${'0'.repeat(high.length - 1)}`, high),
  ];
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
  const middle =
    from > to ? [] : [`${from === to ? from : `[${from}-${to}]`}${digits(lowRest.length, lowRest.length)}`];
  return [...head, ...middle, ...tail];
}

function digits(least: number, most: number): string {
  if (least < most) return `[0-9]{${least},${most}}`;
  return most === 1 ? '[0-9]' : `[0-9]{${most}}`;
}
