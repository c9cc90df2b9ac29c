import * as z from 'zod';
import { canonicalJson } from '../digest.ts';
import { SELECTOR_WORDS, selectorSchema } from '../selectors.ts';
import { PATTERN } from './patterns.ts';

/**
 * A parameter of a kind, specified once. From it are made: what the API takes and the words it answers with, the
 * parameter of the SSM document, the check on the host, the row in docs/faults.md, and the values that tests try.
 */
export interface Field<S extends z.ZodType = z.ZodType> {
  schema: S;
  /** What a request may say instead of it, where that is more: admission makes of it what `schema` takes. */
  requested?: z.ZodType;
  /** What it may hold, and what it is, for a person. */
  words: string;
  /** The same of the fields below it, by name. */
  below?: Readonly<Record<string, string>>;
  /** What happens without it, where it may be left out. */
  leftOut?: string;
  /** Absent: a host is not told. */
  text?: TextForm;
  values: Values;
}
export type Fields = Readonly<Record<string, Field>>;

/** How a host is told. */
export interface TextForm {
  /** As `words`, of the text. */
  words: string;
  /** Of the whole text. */
  pattern: string;
  write(value: unknown): string;
  /** The text for a field that was left out. */
  leftOut: '0' | '';
}

/** What a field may hold, as data: tests make values of it. */
export type Values =
  | { type: 'wholeNumber'; min: number; max: number; notZero?: true }
  /** Of words and the like: all there are, or some. */
  | { type: 'oneOf'; values: readonly unknown[] }
  | { type: 'nodeNames' }
  | { type: 'different'; each: Values; most: number }
  | { type: 'together'; each: Readonly<Record<string, Values>> };

interface Range {
  min: number;
  max: number;
}

export const MEBIBYTE = 1024 ** 2;
export const GIBIBYTE = 1024 ** 3;
/** More than any volume or memory: the host decides what fits. */
export const MAX_BYTES = 64 * 1024 * GIBIBYTE;
export const PORT = { min: 1, max: 65_535 };
const MAX_NODES = 100;

/** With the colon and port that stand behind the name of an instance with several stores. */
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;
const nodeName = z.string().regex(NODE_NAME, 'is not a node name');
/** A request may choose nodes by their roles; from admission on there are names only. */
export const nodeNames = {
  schema: listOfNodes(nodeName),
  requested: listOfNodes(z.union([nodeName, selectorSchema], 'is neither a node name nor a role')),
  words: `1-${MAX_NODES} different nodes, each by its name or by its role`,
  below: SELECTOR_WORDS,
  values: { type: 'nodeNames' },
} satisfies Field;

function listOfNodes<S extends z.ZodType>(node: S) {
  return z
    .array(node)
    .min(1, 'is empty')
    .max(MAX_NODES, `has more than ${MAX_NODES} nodes`)
    .refine((nodes) => new Set(nodes.map(canonicalJson)).size === nodes.length, 'names a node twice');
}

export const availabilityZone = {
  schema: z.string().regex(/^[a-z0-9-]{3,40}$/, 'is not an availability zone'),
  words: 'the name of an availability zone, as in eu-west-1a',
  values: { type: 'oneOf', values: ['eu-west-1a', 'us-gov-east-1b'] },
} satisfies Field;

/** @param meaning what it is, in a few words; the range is added */
export function wholeNumber(meaning: string, { min, max }: Range) {
  const words = `${rangeWords({ min, max })}: ${meaning}`;
  return {
    schema: z.int().min(min).max(max),
    words,
    text: { words, pattern: PATTERN.wholeNumber(min, max), write: String, leftOut: '0' },
    values: { type: 'wholeNumber', min, max },
  } satisfies Field;
}

export function percent(meaning: string, { min = 1, max = 100 }: Partial<Range> = {}) {
  return wholeNumber(meaning, { min, max });
}

/** A whole number that may be as far below 0 as above, and is not 0. */
export function eitherWay(meaning: string, furthest: number) {
  const words = `${rangeWords({ min: -furthest, max: furthest })}, not 0: ${meaning}`;
  return {
    schema: z
      .int()
      .min(-furthest)
      .max(furthest)
      .refine((value) => value !== 0, 'is 0: nothing would change'),
    words,
    text: { words, pattern: `-?${PATTERN.wholeNumber(1, furthest)}`, write: String, leftOut: '0' },
    values: { type: 'wholeNumber', min: -furthest, max: furthest, notZero: true },
  } satisfies Field;
}

export function oneOf<const V extends readonly [string, ...string[]]>(meaning: string, values: V) {
  const words = `${values.join(', ')}: ${meaning}`;
  return {
    schema: z.enum(values),
    words,
    text: { words, pattern: PATTERN.oneOf(values), write: String, leftOut: '' },
    values: { type: 'oneOf', values },
  } satisfies Field;
}

export function yesNo(meaning: string) {
  return {
    schema: z.boolean(),
    words: `true, false: ${meaning}`,
    text: {
      words: `yes, no: ${meaning}`,
      pattern: PATTERN.oneOf(['yes', 'no']),
      write: (value: unknown) => yesOrNo(value === true),
      leftOut: '',
    },
    values: { type: 'oneOf', values: [true, false] },
  } satisfies Field;
}

export function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

export function portNumbers(meaning: string, most: number) {
  const words = `1-${most} different ports, each ${rangeWords(PORT)}: ${meaning}`;
  return {
    schema: z
      .array(z.int().min(PORT.min).max(PORT.max))
      .min(1, 'is empty')
      .max(most, `has more than ${most} ports`)
      .refine((ports) => new Set(ports).size === ports.length, 'names a port twice'),
    words,
    text: {
      words,
      pattern: PATTERN.list(PATTERN.wholeNumber(PORT.min, PORT.max), most),
      write: (ports: unknown) => (ports as number[]).join(','),
      leftOut: '',
    },
    values: { type: 'different', each: { type: 'wholeNumber', ...PORT }, most },
  } satisfies Field;
}

/** Numbers that are given together or not at all; a host is told of them in this order, with commas between them. */
export function together<N extends string>(
  meaning: string,
  numbers: Readonly<Record<N, ReturnType<typeof wholeNumber>>>,
) {
  const parts: [string, ReturnType<typeof wholeNumber>][] = Object.entries(numbers);
  const names = parts.map(([name]) => name);
  const of = <T>(part: (field: ReturnType<typeof wholeNumber>) => T) =>
    Object.fromEntries(parts.map(([name, field]) => [name, part(field)])) as Record<N, T>;
  return {
    schema: z.strictObject(of(({ schema }) => schema)),
    words: `an object with ${names.join(' and ')}: ${meaning}`,
    below: of(({ words }) => words),
    text: {
      words: `${names.join(',')}: ${meaning}`,
      pattern: parts.map(([, { text }]) => text.pattern).join(','),
      write: (value: unknown) => names.map((name) => (value as Record<string, number>)[name]).join(','),
      leftOut: '',
    },
    values: { type: 'together', each: of(({ values }) => values) },
  } satisfies Field;
}

/** A field that a payload may have and that holds one value only; no host is told. */
export function always<const V extends number>(value: V, meaning: string) {
  return {
    schema: z.literal(value),
    words: `${value}: ${meaning}`,
    values: { type: 'oneOf', values: [value] },
  } satisfies Field;
}

/** @param leftOut what happens without it, unless a rule of the kind says that */
export function optional<S extends z.ZodType>(field: Field<S>, leftOut?: string): Field<z.ZodOptional<S>> {
  const { schema, requested, text, ...rest } = field;
  return {
    ...rest,
    schema: schema.optional(),
    ...(requested === undefined ? {} : { requested: requested.optional() }),
    ...(leftOut === undefined ? {} : { leftOut }),
    ...(text === undefined ? {} : { text: orLeftOut(text, leftOut ?? 'left out') }),
  };
}

export function byDefault<S extends z.ZodType>(value: z.core.util.NoUndefined<z.output<S>>, field: Field<S>) {
  return { ...field, schema: field.schema.default(value), leftOut: String(value) };
}

function orLeftOut(text: TextForm, meaning: string): TextForm {
  const { leftOut, pattern } = text;
  return {
    ...text,
    words: `${text.words}; ${leftOut === '0' ? '0' : 'empty'}: ${meaning}`,
    pattern: leftOut === '0' ? `(0|${pattern})` : `(${pattern})?`,
    write: (value) => (value === undefined ? leftOut : text.write(value)),
  };
}

function rangeWords({ min, max }: Range): string {
  return `a whole number from ${min} to ${max}`;
}
