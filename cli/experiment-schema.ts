import * as z from 'zod';
import { ALLOWED, faultListSchema, oneFaultSchema } from '../functions/domain/contract.ts';
import { FAULT_KINDS, kindOf } from '../functions/domain/faults/catalogue.ts';

/** Where it lies for editors, beside the examples. */
export const SCHEMA_FILE = 'examples/experiment.schema.json';

type JsonSchema = Record<string, unknown>;
type Words = Readonly<Record<string, string>>;

/** What the fields of a fault in the list may hold is said once for both forms. */
const FAULT_FIELDS = ['targetService', 'action', 'parameters'] as const;

/**
 * The JSON Schema of an experiment file, made of the schemas by which the API reads it. Draft 7, which every editor knows.
 * What stands between fields (groups that must differ, an earlier fault's name) it does not say: the API does.
 */
export function experimentSchema(): JsonSchema {
  const one = described(toJsonSchema(oneFaultSchema), ALLOWED);
  const list = described(toJsonSchema(faultListSchema), { ...ALLOWED, ...belowFaults() });
  const faults = propertiesOf(list).faults as JsonSchema & { items: JsonSchema };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Holdfast experiment',
    description: 'The body of POST /api/v1/chaos/experiments: one fault, or several in `faults`.',
    type: 'object',
    properties: { ...propertiesOf(one), faults: { ...faults, items: { ...faults.items, allOf: byAction() } } },
    required: Array.isArray(list.required) ? list.required.filter((field) => field !== 'faults') : [],
    additionalProperties: false,
    if: { required: ['faults'] },
    // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema
    then: { properties: Object.fromEntries(FAULT_FIELDS.map((field) => [field, false])) },
    else: { required: [...FAULT_FIELDS], allOf: byAction() },
    definitions: Object.fromEntries(
      FAULT_KINDS.map((kind) => {
        const { requestSchema, allowed, description } = kindOf(kind);
        return [kind, { ...described(toJsonSchema(requestSchema), allowed), description }];
      }),
    ),
  };
}

/** The parameters follow from the action. */
function byAction(): JsonSchema[] {
  return FAULT_KINDS.map((kind) => ({
    if: { properties: { action: { const: kind } }, required: ['action'] },
    // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema
    then: { properties: { parameters: { $ref: `#/definitions/${kind}` } } },
  }));
}

function belowFaults(): Words {
  const fields = propertiesOf(propertiesOf(toJsonSchema(faultListSchema)).faults as JsonSchema, 'items');
  return Object.fromEntries(Object.keys(fields).map((field) => [`faults.${field}`, ALLOWED[field] ?? '']));
}

function propertiesOf(schema: JsonSchema, inside?: 'items'): JsonSchema {
  const holder = inside === undefined ? schema : (schema[inside] as JsonSchema);
  return holder.properties as JsonSchema;
}

function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...made } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return made;
}

/** With the words of each field as its description; a list's items have the path of the list. */
function described(schema: JsonSchema, words: Words, path = ''): JsonSchema {
  const entries = Object.entries(schema).map(([keyword, value]): [string, unknown] => {
    if (keyword === 'properties') {
      const fields = Object.entries(value as JsonSchema).map(([name, inner]): [string, JsonSchema] => {
        const at = path === '' ? name : `${path}.${name}`;
        const inside = described(inner as JsonSchema, words, at);
        return [name, words[at] ? { description: words[at], ...inside } : inside];
      });
      return [keyword, Object.fromEntries(fields)];
    }
    if (keyword === 'items') return [keyword, described(value as JsonSchema, words, path)];
    if (keyword === 'oneOf' || keyword === 'anyOf' || keyword === 'allOf') {
      return [keyword, (value as JsonSchema[]).map((each) => described(each, words, path))];
    }
    return [keyword, value];
  });
  return Object.fromEntries(entries);
}
