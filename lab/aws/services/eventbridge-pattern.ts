import { isObject, type Json, type JsonObject } from '../protocol/json.ts';

/**
 * EventBridge's content filter, with the operators the product uses: exact values, `prefix`, `suffix`, `exists` and
 * `anything-but`, at any depth.
 * @throws Error for another operator: a rule that silently matched nothing would hide a missing rollback.
 */
export function matchesPattern(pattern: JsonObject, event: JsonObject): boolean {
  return Object.entries(pattern).every(([field, expected]) => {
    const actual = event[field];
    if (Array.isArray(expected)) return expected.some((matcher) => matchesOne(matcher, actual));
    if (isObject(expected)) return matchesPattern(expected, isObject(actual) ? actual : {});
    throw new Error(`event pattern ${field}: a list or an object is expected`);
  });
}

function matchesOne(matcher: Json, actual: Json | undefined): boolean {
  const values = Array.isArray(actual) ? actual : [actual];
  if (!isObject(matcher)) return values.some((value) => value === matcher);
  const [operator = '', argument = null] = Object.entries(matcher)[0] ?? [];
  if (operator === 'exists') return (actual !== undefined) === argument;
  if (operator === 'anything-but')
    return values.every((value) => value !== undefined && !asList(argument).includes(value));
  const text = values.filter((value) => typeof value === 'string');
  if (operator === 'prefix') return text.some((value) => value.startsWith(String(argument)));
  if (operator === 'suffix') return text.some((value) => value.endsWith(String(argument)));
  throw new Error(`event pattern: the lab does not know the operator ${operator}`);
}

const asList = (value: Json): Json[] => (Array.isArray(value) ? value : [value]);
