import * as z from 'zod';
import type { Cluster } from '../configuration.ts';
import type { ResolvedFault } from '../targets.ts';
import type { Field, Fields, TextForm } from './fields.ts';
import {
  type DocumentParameter,
  type FisAction,
  type FisKind,
  type HostKind,
  MAX_RESOURCES_PER_TARGET,
  MAX_STOP_CONDITION_ALARMS,
} from './kind.ts';
import { anchored } from './patterns.ts';
import { type Rule, refinementOf, wordsOf } from './rules.ts';

/** A parameter of a document that no payload has: it is known when the targets are. */
export interface ContextParameter extends DocumentParameter {
  /** @param cluster as it is for the node: `unit` and `dataDirectory` are the node's own. */
  value(fault: ResolvedFault, cluster: Cluster): string;
}

type ObjectOf<F extends Fields> = z.ZodObject<{ [N in keyof F]: F[N]['schema'] }, z.core.$strict>;
/** What the fields of a kind make of a payload's `parameters`. */
type ParametersOf<F extends Fields> = z.output<ObjectOf<F>>;

/** What the file of a kind says: fields and rules instead of what follows from them. */
interface Stated<F extends Fields> {
  fields: F;
  rules?: readonly Rule<keyof F & string>[];
  /** A payload's `parameters` that is valid: in the table of kinds, and in the tests. */
  example: z.input<ObjectOf<F>>;
}
type Derived = keyof Stated<Fields> | 'schema' | 'requestSchema' | 'allowed' | 'runsOn';

type StatedHostKind<K extends string, F extends Fields> = Stated<F> &
  Omit<HostKind<K, ParametersOf<F>>, Derived | 'document' | 'command'> & {
    context?: Readonly<Record<string, ContextParameter>>;
    /** What the rollback does, in words. */
    undo(parameters: ParametersOf<F>, fault: ResolvedFault): string[];
  };
type StatedFisKind<K extends string, F extends Fields> = Stated<F> & Omit<FisKind<K, ParametersOf<F>>, Derived>;

/** A host is told of every field that has a text form, and of the context. */
export function hostKind<const K extends string, F extends Fields>(
  kind: StatedHostKind<K, F>,
): HostKind<K, ParametersOf<F>> {
  const { context = {}, undo, ...stated } = kind;
  const texts = Object.entries(kind.fields).flatMap(([name, { text }]): [string, TextForm][] =>
    text ? [[name, text]] : [],
  );
  const document = [
    ...Object.entries(context).map(([name, { description, pattern }]) => [name, { description, pattern }]),
    ...texts.map(([name, { words, pattern }]) => [name, { description: `${words}.`, pattern: anchored(pattern) }]),
  ];
  return {
    ...stated,
    ...derived(kind),
    runsOn: 'host',
    document: Object.fromEntries(document),
    command: (parameters, fault, cluster) => {
      const values: Readonly<Record<string, unknown>> = parameters;
      const told = [
        ...Object.entries(context).map(([name, { value }]) => [name, value(fault, cluster)]),
        ...texts.map(([name, { write }]) => [name, write(values[name])]),
      ];
      return { parameters: Object.fromEntries(told), undo: undo(parameters, fault) };
    },
  };
}

/** As `hostKind`; the refusals also say what holds for every service fault, so that no kind can forget it. */
export function fisKind<const K extends string, F extends Fields>(
  kind: StatedFisKind<K, F>,
): FisKind<K, ParametersOf<F>> {
  return {
    ...kind,
    ...derived(kind),
    runsOn: 'fis',
    refuse: (parameters, cluster, storePorts) =>
      refuseFisFault(kind.kind, kind.stagingOnly ?? false, cluster) ?? kind.refuse?.(parameters, cluster, storePorts),
    refuseTargets: (parameters, fault) =>
      kind.refuseTargets?.(parameters, fault) ?? refuseTooMany(kind.action(parameters, fault, 1).target),
  };
}

/** What the API takes, and its words. */
function derived<F extends Fields>({ fields, rules = [] }: Stated<F>) {
  const ruled = (schemaOf: (field: Field) => z.ZodType) => {
    const shape = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, schemaOf(field)]));
    return rules.reduce((narrower, rule) => narrower.refine(...refinementOf(rule)), z.strictObject(shape));
  };
  return {
    // The compiler cannot follow the field names through `Object.entries`.
    schema: ruled(({ schema }) => schema) as unknown as z.ZodType<ParametersOf<F>>,
    requestSchema: ruled(({ schema, requested }) => requested ?? schema),
    rules,
    allowed: Object.fromEntries(
      Object.entries(fields).flatMap(([name, field]) => [
        [name, allowedWords(field, wordsOf(rules, name))],
        ...Object.entries(field.below ?? {}).map(([inner, words]) => [`${name}.${inner}`, words]),
      ]),
    ),
  };
}

function allowedWords({ words, leftOut }: Field, ofRules: readonly string[]): string {
  return [words, ...ofRules, ...(leftOut === undefined ? [] : [`left out: ${leftOut}`])].join('; ');
}

function refuseTooMany({ name, resources }: FisAction['target']): string | undefined {
  if (resources.length <= MAX_RESOURCES_PER_TARGET) return undefined;
  return `${resources.length} ${name} are more than the ${MAX_RESOURCES_PER_TARGET} that FIS takes for one fault`;
}

function refuseFisFault(kind: string, stagingOnly: boolean, cluster: Cluster): string | undefined {
  if (stagingOnly && cluster.tier !== 'staging') {
    return `${kind} is for clusters of tier staging; this one is of tier ${cluster.tier}`;
  }
  if (cluster.alarms.length > MAX_STOP_CONDITION_ALARMS) {
    return `${kind} takes at most ${MAX_STOP_CONDITION_ALARMS} alarms of a cluster as stop conditions; this one has ${cluster.alarms.length}`;
  }
  return undefined;
}
