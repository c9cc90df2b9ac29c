import { isObject, type Json, type JsonObject } from '../protocol/json.ts';

/** CloudFormation's intrinsic functions, resolved without AWS. An unknown one is an error, never a guess. */
export interface IntrinsicScope {
  ref(logicalId: string): Json;
  getAtt(logicalId: string, attribute: string): Json;
  /** A value of the template's `Mappings`. */
  findInMap(mapping: string, key: string, attribute: string): Json;
  condition(name: string): boolean;
}

const NO_VALUE = Symbol('AWS::NoValue');
type Resolved = Json | typeof NO_VALUE;

/** Resolves every intrinsic below `value`; `Ref: AWS::NoValue` removes its property, as in CloudFormation. */
export function resolve(value: Json, scope: IntrinsicScope): Json {
  const resolved = walk(value, scope);
  return resolved === NO_VALUE ? null : resolved;
}

function walk(value: Json, scope: IntrinsicScope): Resolved {
  if (Array.isArray(value)) return value.map((item) => walk(item, scope)).filter((item) => item !== NO_VALUE);
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  const [key] = keys;
  if (keys.length === 1 && key !== undefined && (key === 'Ref' || key.startsWith('Fn::'))) {
    return intrinsic(key, value[key] ?? null, scope);
  }
  const result: JsonObject = {};
  for (const [name, item] of Object.entries(value)) {
    const resolved = walk(item, scope);
    if (resolved !== NO_VALUE) result[name] = resolved;
  }
  return result;
}

function intrinsic(name: string, argument: Json, scope: IntrinsicScope): Resolved {
  if (name === 'Ref') return argument === 'AWS::NoValue' ? NO_VALUE : scope.ref(asString(argument, name));
  if (name === 'Fn::GetAtt') {
    const parts = typeof argument === 'string' ? argument.split('.') : asList(argument, name);
    const [logicalId, ...attribute] = parts.map((part) => asString(part, name));
    return scope.getAtt(logicalId ?? '', attribute.join('.'));
  }
  if (name === 'Fn::Join') {
    const [separator, items] = asList(argument, name);
    return asList(resolve(items ?? null, scope), name)
      .map((item) => asString(item, name))
      .join(asString(separator ?? null, name));
  }
  if (name === 'Fn::Select') {
    const [index, items] = asList(argument, name);
    const chosen = asList(resolve(items ?? null, scope), name)[Number(index)];
    if (chosen === undefined) throw new Error(`Fn::Select: no element ${JSON.stringify(index)}`);
    return chosen;
  }
  if (name === 'Fn::Split') {
    const [separator, text] = asList(argument, name);
    return asString(resolve(text ?? null, scope), name).split(asString(separator ?? null, name));
  }
  if (name === 'Fn::FindInMap') {
    const keys = asList(argument, name).map((key) => asString(resolve(key, scope), name));
    const [mapping = '', key = '', attribute = ''] = keys;
    if (keys.length !== 3) throw new Error(`Fn::FindInMap: expected three keys, got ${JSON.stringify(keys)}`);
    return scope.findInMap(mapping, key, attribute);
  }
  if (name === 'Fn::Sub') return substitute(argument, scope);
  if (name === 'Fn::If') {
    const [condition, whenTrue, whenFalse] = asList(argument, name);
    return walk((scope.condition(asString(condition ?? null, name)) ? whenTrue : whenFalse) ?? null, scope);
  }
  if (name === 'Fn::GetAZs') return ['a', 'b', 'c'].map((zone) => `${asString(scope.ref('AWS::Region'), name)}${zone}`);
  throw new Error(`the lab does not know the intrinsic function ${name}`);
}

/** Evaluates a body of the template's `Conditions`. */
export function evaluateCondition(body: Json, scope: IntrinsicScope): boolean {
  if (!isObject(body)) throw new Error(`not a condition: ${JSON.stringify(body)}`);
  const [entry] = Object.entries(body);
  const [name, argument] = entry ?? ['', null];
  if (name === 'Condition') return scope.condition(asString(argument, name));
  const items = asList(argument, name);
  if (name === 'Fn::Equals') {
    const [left, right] = items.map((item) => JSON.stringify(resolve(item, scope)));
    return left === right;
  }
  if (name === 'Fn::And') return items.every((item) => evaluateCondition(item, scope));
  if (name === 'Fn::Or') return items.some((item) => evaluateCondition(item, scope));
  if (name === 'Fn::Not') return !evaluateCondition(items[0] ?? null, scope);
  throw new Error(`the lab does not know the condition function ${name}`);
}

function substitute(argument: Json, scope: IntrinsicScope): string {
  const [text, variables]: Json[] = typeof argument === 'string' ? [argument] : asList(argument, 'Fn::Sub');
  return asString(text ?? null, 'Fn::Sub').replace(/\$\{([^}]+)\}/g, (_match, variable: string) => {
    if (variable.startsWith('!')) return `\${${variable.slice(1)}}`;
    const local = isObject(variables) ? variables[variable] : undefined;
    if (local !== undefined) return asString(resolve(local, scope), 'Fn::Sub');
    const [logicalId, ...attribute] = variable.split('.');
    if (attribute.length > 0) return asString(scope.getAtt(logicalId ?? '', attribute.join('.')), 'Fn::Sub');
    return asString(scope.ref(variable), 'Fn::Sub');
  });
}

function asString(value: Json, where: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`${where}: expected a string, got ${JSON.stringify(value)}`);
}

function asList(value: Json, where: string): Json[] {
  if (Array.isArray(value)) return value;
  throw new Error(`${where}: expected a list, got ${JSON.stringify(value)}`);
}
