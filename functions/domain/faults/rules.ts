/** What two fields together may not say, as data: the API checks it, and the host where it is told of both. */
export interface Rule<N extends string = string> {
  rule: RuleName;
  first: N;
  second: N;
}
export type RuleName = keyof typeof RULES;

type Parameters = Readonly<Record<string, unknown>>;

interface Meaning {
  /** The field that the API names when the rule is broken. */
  names: 'first' | 'second';
  /** @param other the field that is not named */
  message(other: string): string;
  /** Whether the two can be compared: not where one of them is wrong by itself, which is said already. */
  asked(first: unknown, second: unknown): boolean;
  /** Of values as they are given, with 0 for what is left out. */
  holds(first: unknown, second: unknown): boolean;
  /** What is said of each of the two, beside what it may hold. */
  first?(second: string): string;
  second?(first: string): string;
}

const bothNumbers = (first: unknown, second: unknown) => typeof first === 'number' && typeof second === 'number';
const isGiven = (value: unknown) => value !== undefined && value !== 0;

const RULES = {
  /** One of the two is given. */
  exactlyOne: {
    names: 'first',
    message: (second) => `is needed, or ${second}, and not both`,
    asked: () => true,
    holds: (first, second) => (first === undefined) !== (second === undefined),
    first: (second) => `this or ${second}`,
    second: (first) => `this or ${first}`,
  },
  notBoth: {
    names: 'first',
    message: (second) => `stands beside ${second}`,
    asked: () => true,
    holds: (first, second) => first === undefined || second === undefined,
    first: (second) => `not beside ${second}`,
    second: (first) => `not beside ${first}`,
  },
  onlyWith: {
    names: 'first',
    message: (second) => `stands without ${second}`,
    asked: (first) => typeof first === 'number',
    holds: (first, second) => !isGiven(first) || isGiven(second),
    first: (second) => `only with ${second}`,
  },
  atMost: {
    names: 'first',
    message: (second) => `is more than ${second}`,
    asked: bothNumbers,
    holds: (first, second) => Number(first) <= Number(second),
    first: (second) => `no more than ${second}`,
  },
  lessThan: {
    names: 'second',
    message: (first) => `is not more than ${first}`,
    asked: bothNumbers,
    holds: (first, second) => second === 0 || Number(first) < Number(second),
    second: (first) => `more than ${first}`,
  },
  /** Of lists of nodes. */
  disjoint: {
    names: 'first',
    message: (second) => `names a node that is in ${second}`,
    asked: (first, second) => Array.isArray(first) && Array.isArray(second),
    holds: (first, second) => !(first as unknown[]).some((name) => (second as unknown[]).includes(name)),
    first: (second) => `none of them in ${second}`,
  },
} satisfies Record<string, Meaning>;

/** Makes a rule of each name: `rule('atMost', 'jitterMs', 'latencyMs')`. */
export function rule<const N extends string>(name: RuleName, first: N, second: N): Rule<N> {
  return { rule: name, first, second };
}

/** What the rules add to the words of a field. */
export function wordsOf(rules: readonly Rule[], field: string): string[] {
  return rules.flatMap(({ rule: name, first, second }) => {
    const meaning: Meaning = RULES[name];
    const words = [
      ...(field === first ? [meaning.first?.(second)] : []),
      ...(field === second ? [meaning.second?.(first)] : []),
    ];
    return words.filter((text) => text !== undefined);
  });
}

type Refinement = [
  check: (parameters: Parameters) => boolean,
  terms: { path: string[]; message: string; when: (payload: { value: unknown }) => boolean },
];

/** For `.refine(...)` of the kind's schema. Also asked when another field is wrong: one answer names everything. */
export function refinementOf({ rule: name, first, second }: Rule): Refinement {
  const { names, message, asked, holds }: Meaning = RULES[name];
  const [path, other] = names === 'first' ? [first, second] : [second, first];
  return [
    (parameters) => holds(parameters[first], parameters[second]),
    {
      path: [path],
      message: message(other),
      when: ({ value }) => isRecord(value) && asked(value[first], value[second]),
    },
  ];
}

function isRecord(value: unknown): value is Parameters {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
