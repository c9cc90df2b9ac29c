import { type Member, type ServiceModel, type Shape, shapeNamed } from './model.ts';

/** What breaks a rule of the model: where in the message, and the rule. */
export interface Violation {
  path: string;
  rule: string;
}

/**
 * Holds a value, decoded from its protocol, to a shape of the model: types, required and unknown members, enums, lengths,
 * ranges, patterns. A timestamp is a number or a text that is a date; a blob is a Buffer or base64.
 */
export function violationsOf(model: ServiceModel, shapeName: string, value: unknown, path = ''): Violation[] {
  const shape = shapeNamed(model, shapeName);
  const broken = (rule: string): Violation[] => [{ path: path === '' ? '(the whole)' : path, rule }];
  switch (shape.type) {
    case 'structure':
      return isRecord(value) ? structure(model, shape, value, path) : broken('must be a structure');
    case 'list':
      if (!Array.isArray(value)) return broken('must be a list');
      return [
        ...outside(shape, value.length, 'items').flatMap(broken),
        ...value.flatMap((item, index) => of(model, shape.member, item, `${path}[${index}]`)),
      ];
    case 'map':
      if (!isRecord(value)) return broken('must be a map');
      return [
        ...outside(shape, Object.keys(value).length, 'entries').flatMap(broken),
        ...Object.entries(value).flatMap(([key, item]) => [
          ...of(model, shape.key, key, `${path}.${key} (key)`),
          ...of(model, shape.value, item, `${path}.${key}`),
        ]),
      ];
    case 'string':
      return typeof value === 'string' ? text(shape, value).flatMap(broken) : broken('must be a string');
    case 'boolean':
      return typeof value === 'boolean' ? [] : broken('must be true or false');
    case 'integer':
    case 'long':
      if (!Number.isInteger(value)) return broken('must be a whole number');
      return outside(shape, Number(value), '').flatMap(broken);
    case 'float':
    case 'double':
      if (typeof value !== 'number') return broken('must be a number');
      return outside(shape, value, '').flatMap(broken);
    case 'timestamp':
      return isTimestamp(value) ? [] : broken('must be a time');
    case 'blob': {
      const bytes = bytesOf(value);
      return bytes === undefined ? broken('must be bytes') : outside(shape, bytes, 'bytes').flatMap(broken);
    }
    default:
      return broken(`has a type that the referee does not know: ${shape.type}`);
  }
}

function structure(model: ServiceModel, shape: Shape, value: Record<string, unknown>, path: string): Violation[] {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const [members, names] = [shape.members ?? {}, Object.keys(value).filter((name) => value[name] !== undefined)];
  const missing = (shape.required ?? []).filter((name) => !names.includes(name));
  return [
    ...missing.map((name) => ({ path: at(name), rule: 'is required' })),
    ...(shape.union && names.length !== 1
      ? [{ path: path || '(the whole)', rule: 'must have exactly one member' }]
      : []),
    ...names.flatMap((name) => {
      const member = Object.hasOwn(members, name) ? members[name] : undefined;
      if (member === undefined) return [{ path: at(name), rule: 'is no member' }];
      return violationsOf(model, member.shape, value[name], at(name));
    }),
  ];
}

function of(model: ServiceModel, member: Member | undefined, value: unknown, path: string): Violation[] {
  return member === undefined ? [] : violationsOf(model, member.shape, value, path);
}

function text(shape: Shape, value: string): string[] {
  const rules = outside(shape, [...value].length, 'characters');
  if (shape.enum !== undefined && !shape.enum.includes(value))
    rules.push(`must be one of ${shape.enum.join(', ')}, not ${value}`);
  if (shape.pattern !== undefined && !compiled(shape.pattern).test(value))
    rules.push(`must match ${shape.pattern}, not ${JSON.stringify(value)}`);
  return rules;
}

function outside({ min, max }: Shape, size: number, unit: string): string[] {
  const words = unit === '' ? `${size}` : `${size} ${unit}`;
  if (min !== undefined && size < min) return [`has ${words}, at least ${min} are required`];
  if (max !== undefined && size > max) return [`has ${words}, at most ${max} are allowed`];
  return [];
}

const patterns = new Map<string, RegExp>();

/** The services match a pattern against the whole value. @throws Error for one that JavaScript cannot read. */
export function compiled(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  // Java writes the flag into the pattern.
  const [, flag, body] = /^(?:\(\?(i)\))?(.*)$/s.exec(pattern) ?? [];
  let made: RegExp;
  try {
    made = new RegExp(`^(?:${body})$`, `u${flag ?? ''}`);
  } catch {
    // Escapes that only the Unicode mode refuses, such as `\-`.
    made = new RegExp(`^(?:${body})$`, flag);
  }
  patterns.set(pattern, made);
  return made;
}

function isTimestamp(value: unknown): boolean {
  return typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function bytesOf(value: unknown): number | undefined {
  if (Buffer.isBuffer(value)) return value.length;
  return typeof value === 'string' && BASE64.test(value) ? Buffer.from(value, 'base64').length : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}
