import { isObject, type Json, type JsonObject } from '../protocol/json.ts';

/**
 * EventBridge's content filter: exact values, `prefix`, `suffix`, `exists` and `anything-but` with values, at any depth.
 * @throws Error for another operator: a rule that silently matched nothing would hide a missing rollback.
 */
export function matchesPattern(pattern: JsonObject, event: JsonObject): boolean {
  return Object.entries(pattern).every(([field, expected]) => {
    const actual = event[field];
    if (Array.isArray(expected)) return expected.some((matcher) => matchesOne(matcher, actual));
    if (!isObject(expected)) throw new Error(`event pattern ${field}: a list or an object is expected`);
    // Of a list of objects one has to match.
    const below = (Array.isArray(actual) ? actual : [actual]).filter(isObject);
    return (below.length === 0 ? [{}] : below).some((object) => matchesPattern(expected, object));
  });
}

function matchesOne(matcher: Json, actual: Json | undefined): boolean {
  const values = Array.isArray(actual) ? actual : [actual];
  if (!isObject(matcher)) return values.some((value) => value === matcher);
  const [[operator, argument] = ['', null], ...more] = Object.entries(matcher);
  if (more.length > 0)
    throw new Error(`event pattern: one operator is expected, not ${Object.keys(matcher).join(', ')}`);
  const text = values.filter((value) => typeof value === 'string');
  // Only what is no object exists.
  if (operator === 'exists') return (actual !== undefined && !isObject(actual)) === argument;
  if (operator === 'anything-but')
    return values.some((value) => value !== undefined && !valuesOf(argument).includes(value));
  if (operator === 'prefix' && typeof argument === 'string') return text.some((value) => value.startsWith(argument));
  if (operator === 'suffix' && typeof argument === 'string') return text.some((value) => value.endsWith(argument));
  throw new Error(`event pattern: the lab does not know ${JSON.stringify(matcher)}`);
}

function valuesOf(argument: Json): Json[] {
  const values = Array.isArray(argument) ? argument : [argument];
  if (values.some(isObject)) throw new Error('event pattern: the lab knows anything-but with values only');
  return values;
}
