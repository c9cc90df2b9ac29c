import fc from 'fast-check';
import { FAULT_KINDS, type FaultKind, kindOf } from '../../../functions/domain/faults/catalogue.ts';
import type { Values } from '../../../functions/domain/faults/fields.ts';
import type { Rule, RuleName } from '../../../functions/domain/faults/rules.ts';

/** Valid `parameters` of every kind, made from what its fields may hold, ends included, and from its rules. */
type Parameters = Record<string, unknown>;

/** No test puts these into a shorter experiment, unless it asks `shortestDurationSeconds`. */
const SHORTEST_DURATION_SECONDS = 60;
export const NODES = ['redis-node-1', 'redis-node-2', 'redis-node-3', 'a', 'Z9._-x'];
const twoGroups = fc.tuple(fc.shuffledSubarray(NODES, { minLength: 2 }), fc.nat()).map(([names, cut]) => {
  const at = 1 + (cut % (names.length - 1));
  return [names.slice(0, at), names.slice(at)] as const;
});

export function valuesOf(values: Values): fc.Arbitrary<unknown> {
  switch (values.type) {
    case 'wholeNumber': {
      const { min, max, notZero = false } = values;
      const ends = { weight: 1, arbitrary: fc.constantFrom(min, max) };
      return fc
        .oneof(ends, { weight: 5, arbitrary: fc.integer({ min, max }) })
        .filter((value) => !(notZero && value === 0));
    }
    case 'oneOf':
      return fc.constantFrom(...values.values);
    case 'nodeNames':
      return fc.subarray(NODES, { minLength: 1 });
    case 'together':
      return fc.record(Object.fromEntries(Object.entries(values.each).map(([name, each]) => [name, valuesOf(each)])));
    case 'different':
      return fc.uniqueArray(valuesOf(values.each), { minLength: 1, maxLength: values.most });
  }
}

/** Each changes parameters so that its rule holds; `groups` are two lists of nodes that have none in common. */
type Repair = (
  parameters: Parameters,
  rule: Rule,
  chance: { either: boolean; groups: readonly (readonly string[])[] },
) => Parameters;
const REPAIRS: Record<RuleName, Repair> = {
  exactlyOne: (parameters, { first, second }, { either }) => without(parameters, either ? first : second),
  notBoth: (parameters, { first, second }, { either }) => without(parameters, either ? first : second),
  onlyWith: (parameters, { first, second }) => (parameters[second] ? parameters : without(parameters, first)),
  atMost: (parameters, { first, second }) =>
    first in parameters && Number(parameters[first]) > Number(parameters[second])
      ? { ...parameters, [first]: parameters[second] }
      : parameters,
  lessThan: (parameters, { first, second }) =>
    first in parameters && Number(parameters[first]) >= Number(parameters[second])
      ? without(parameters, second)
      : parameters,
  disjoint: (parameters, { first, second }, { groups: [one, other] }) =>
    first in parameters ? { ...parameters, [first]: one, [second]: other } : parameters,
};

function without(parameters: Parameters, name: string): Parameters {
  const { [name]: _, ...rest } = parameters;
  return rest;
}

function parametersOf(kind: FaultKind): fc.Arbitrary<Parameters> {
  const { fields, rules, comesBackAfter } = kindOf(kind);
  const mayBeLeftOut = (name: string) =>
    fields[name]?.schema.safeParse(undefined).success &&
    !rules.some(({ rule, first, second }) => rule === 'exactlyOne' && [first, second].includes(name));
  const any = fc.record(
    Object.fromEntries(Object.entries(fields).map(([name, { values }]) => [name, valuesOf(values)])),
    { requiredKeys: Object.keys(fields).filter((name) => !mayBeLeftOut(name)) },
  );
  const chances = fc.array(fc.record({ either: fc.boolean(), groups: twoGroups }), {
    minLength: rules.length,
    maxLength: rules.length,
  });
  return fc.tuple(any, chances).map(([parameters, chance]) => {
    const ruled = rules.reduce<Parameters>((repaired, rule, index) => {
      const own = chance[index];
      return own ? REPAIRS[rule.rule](repaired, rule, own) : repaired;
    }, parameters);
    const isTooSlow = shortestDurationSeconds(kind, ruled) > SHORTEST_DURATION_SECONDS;
    return comesBackAfter && isTooSlow ? without(ruled, comesBackAfter.field) : ruled;
  });
}

export const KIND_PARAMETERS = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, parametersOf(kind)])) as Record<
  FaultKind,
  fc.Arbitrary<Parameters>
>;

/** Seconds that an experiment with this fault lasts at least: what comes and goes has to come back in it. */
export function shortestDurationSeconds(action: FaultKind, parameters: Parameters): number {
  return 1 + (kindOf(action).comesBackAfter?.seconds(parameters) ?? 0);
}

/** An action and parameters that go with it. */
export function actionOf(kinds: readonly FaultKind[]) {
  return fc
    .constantFrom(...kinds)
    .chain((action) => KIND_PARAMETERS[action].map((parameters) => ({ action, parameters })));
}
